import django.db.models.deletion
import redundancy.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0018_memory_columns'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClusterWatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=250, unique=True, verbose_name='Source')),
                ('name', models.CharField(max_length=100, verbose_name='Cluster')),
                ('verified', models.BooleanField(default=True, verbose_name='Identity verified')),
                ('minutes', models.FloatField(default=0, verbose_name='Minutes between two looks')),
                ('asked_at', models.DateTimeField(null=True, verbose_name='Last look (wall time)')),
                ('seen_at', models.DateTimeField(null=True, verbose_name='Last seen (wall time)')),
                ('failing_since', models.DateTimeField(null=True, verbose_name='Failing since (wall time)')),
                ('failure', redundancy.models.fields.SentenceField(blank=True, default='', verbose_name='Last failure')),
                ('reported_on', models.DateField(null=True, verbose_name='Reported on')),
                ('snapshot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='redundancy.clustersnapshot', verbose_name='cluster snapshot')),
            ],
            options={
                'verbose_name': 'watched cluster',
                'verbose_name_plural': 'watched clusters',
                'ordering': ('name', 'pk'),
            },
        ),
        migrations.AddField(
            model_name='clustersnapshot',
            name='watch',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='snapshots', to='redundancy.clusterwatch', verbose_name='watched cluster'),
        ),
        migrations.AddField(
            model_name='alarm',
            name='cluster',
            field=models.CharField(blank=True, default='', max_length=100, verbose_name='Cluster'),
        ),
        migrations.AlterField(
            model_name='alarm',
            name='kind',
            field=models.CharField(choices=[('SRMFailover', 'SRMFailover'), ('SRMFailed', 'SRMFailed'), ('CriticalServiceDown', 'CriticalServiceDown'), ('ServerDown', 'ServerDown'), ('PEPeerNodeFailure', 'PEPeerNodeFailure'), ('JSMSessionsExceedsThreshold', 'JSMSessionsExceedsThreshold'), ('ServiceStopped', 'ServiceStopped'), ('HighAvailabilityOff', 'HighAvailabilityOff'), ('ClusterWatchFailed', 'ClusterWatchFailed'), ('ClusterReadiness', 'ClusterReadiness')], max_length=40, verbose_name='kind'),
        ),
    ]
