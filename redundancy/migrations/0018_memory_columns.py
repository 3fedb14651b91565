import redundancy.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0017_lab_copy'),
    ]

    operations = [
        migrations.AddField(
            model_name='noderuntime',
            name='generation',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'generation', output_field=models.BigIntegerField()), null=True, output_field=models.BigIntegerField(), verbose_name='generation of High Availability'),
        ),
        migrations.AddField(
            model_name='noderuntime',
            name='peer_at',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'peer_at', output_field=models.FloatField()), null=True, output_field=models.FloatField(), verbose_name='peer heard at (lab time)'),
        ),
        migrations.AddField(
            model_name='noderuntime',
            name='peer_hears',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'peer', 'hears', output_field=models.BooleanField()), null=True, output_field=models.BooleanField(), verbose_name='peer hears this node'),
        ),
        migrations.AddField(
            model_name='noderuntime',
            name='peer_leaving',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'peer', 'leaving', output_field=models.BooleanField()), null=True, output_field=models.BooleanField(), verbose_name='peer goes down'),
        ),
        migrations.AddField(
            model_name='noderuntime',
            name='listening_since',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'listening_since', output_field=models.FloatField()), null=True, output_field=models.FloatField(), verbose_name='listens to its peer since (lab time)'),
        ),
        migrations.AddField(
            model_name='noderuntime',
            name='service_down',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.ServiceDown('memory'), null=True, output_field=models.BooleanField(), verbose_name='a monitored service is down'),
        ),
    ]
