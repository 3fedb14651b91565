"""Each session gets the moment at which its client logs in, each node a history of its limits."""

import django.db.models.deletion
from django.db import migrations, models

DEFAULTS = {"relogin_lower": "120", "relogin_upper": "537"}


def remember_limits(apps, schema_editor):
    """The limits that are set now held from the beginning, as far as anybody knows."""
    changed = {}
    stored = apps.get_model("redundancy", "ServiceParameter").objects.filter(key__in=DEFAULTS)
    for parameter in stored.exclude(server=None):
        changed.setdefault(parameter.server_id, dict(DEFAULTS))[parameter.key] = parameter.value
    apps.get_model("redundancy", "ReloginLimits").objects.bulk_create(
        apps.get_model("redundancy", "ReloginLimits")(
            server_id=server_id,
            at=0,
            lower=int(values["relogin_lower"]),
            upper=int(values["relogin_upper"]),
        )
        for server_id, values in changed.items()
    )


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0002_faults'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReloginLimits',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.FloatField(verbose_name='from (lab time)')),
                ('lower', models.PositiveIntegerField(verbose_name='Client Re-Login Lower Limit')),
                ('upper', models.PositiveIntegerField(verbose_name='Client Re-Login Upper Limit')),
                ('server', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='relogin_limits', to='redundancy.server')),
            ],
            options={
                'verbose_name': 're-login limits',
                'verbose_name_plural': 're-login limits',
                'ordering': ('server', 'at', 'pk'),
            },
        ),
        # Who has a session now logged in before anything was written down.
        migrations.AddField(
            model_name='presencesession',
            name='limits_at',
            field=models.FloatField(default=0, help_text='The login at which the client got its re-login limits.', verbose_name='Limits of (lab time)'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='presencesession',
            name='relogin_at',
            field=models.FloatField(default=0, help_text='When the client logs in at its node, or logged in there.', verbose_name='Logs in at (lab time)'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='presencesession',
            name='node',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='redundancy.server', verbose_name='Active node'),
        ),
        migrations.AddIndex(
            model_name='presencesession',
            index=models.Index(fields=['node', 'relogin_at'], name='session_node_login'),
        ),
        migrations.RunPython(remember_limits, migrations.RunPython.noop),
    ]
