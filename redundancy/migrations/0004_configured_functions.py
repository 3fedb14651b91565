# A function is configured for the cluster, no longer for each service of each node.

from django.db import migrations, models

FUNCTIONS = {
    'Cisco XCP Message Archiver': 'compliance',
    'Cisco XCP Text Conference Manager': 'persistent_chat',
    'Cisco XCP SIP Federation Connection Manager': 'sip_federation',
    'Cisco XCP XMPP Federation Connection Manager': 'xmpp_federation',
}


def keep(apps, schema_editor):
    services = apps.get_model('redundancy', 'NodeService').objects.filter(configured=True)
    names = set(services.values_list('name', flat=True))
    apps.get_model('redundancy', 'ConfiguredFunction').objects.bulk_create(
        apps.get_model('redundancy', 'ConfiguredFunction')(key=key)
        for name, key in FUNCTIONS.items()
        if name in names
    )


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0003_srm_process_silent'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConfiguredFunction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(choices=[('compliance', 'Compliance'), ('persistent_chat', 'Persistent chat'), ('shared_database', 'Shared external database'), ('sip_federation', 'SIP federation'), ('xmpp_federation', 'XMPP federation')], max_length=40, unique=True, verbose_name='function')),
            ],
            options={
                'verbose_name': 'configured function',
                'verbose_name_plural': 'configured functions',
                'ordering': ('key',),
            },
        ),
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='nodeservice',
            name='configured',
        ),
    ]
