import re

from django.db import migrations, models

import redundancy.models.fields

# As Apprise divides a list: what follows a comma or a space and begins with a scheme.
BETWEEN = re.compile(r"[\s,]+(?=[a-zA-Z0-9]{2,32}://)")


def seal_addresses(apps, schema_editor):
    """Encrypt the addresses of channels, and let each channel have one."""
    channels = apps.get_model("redundancy", "AlarmChannel").objects.using(schema_editor.connection.alias)
    for channel in channels.order_by("pk"):
        first, *others = BETWEEN.split(channel.url.strip())
        channel.url = first
        channel.save(update_fields=["url"])
        for number, url in enumerate(others, start=2):
            name = channel.name[:50]
            while channels.filter(name__iexact=f"{name} ({number})").exists():
                number += 1
            channels.create(name=f"{name} ({number})", url=url, enabled=channel.enabled)


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0007_collections_in_the_database'),
    ]

    operations = [
        migrations.AddField(
            model_name='signin',
            name='refused',
            field=models.BooleanField(db_default=False, default=False, verbose_name='refused'),
        ),
        migrations.AlterField(
            model_name='signin',
            name='username',
            field=models.CharField(blank=True, db_index=True, max_length=150, verbose_name='username'),
        ),
        migrations.AlterField(
            model_name='alarmchannel',
            name='url',
            field=redundancy.models.fields.SecretField(verbose_name='Address'),
        ),
        migrations.RunPython(seal_addresses, migrations.RunPython.noop, elidable=False),
    ]
