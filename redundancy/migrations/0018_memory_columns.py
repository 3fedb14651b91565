import redundancy.models.fields
from django.db import migrations, models


class AddGenerated(migrations.AddField):
    """Adds a column that the database fills; on SQLite by a new table, as it adds none to one that has rows."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        field = to_state.apps.get_model(app_label, self.model_name)._meta.get_field(self.name)
        before = from_state.apps.get_model(app_label, self.model_name)
        schema_editor._remake_table(before, create_field=field)


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0017_lab_copy'),
    ]

    operations = [
        AddGenerated(
            model_name='noderuntime',
            name='generation',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'generation', output_field=models.BigIntegerField()), null=True, output_field=models.BigIntegerField(), verbose_name='generation of High Availability'),
        ),
        AddGenerated(
            model_name='noderuntime',
            name='peer_at',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'peer_at', output_field=models.FloatField()), null=True, output_field=models.FloatField(), verbose_name='peer heard at (lab time)'),
        ),
        AddGenerated(
            model_name='noderuntime',
            name='peer_hears',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'peer', 'hears', output_field=models.BooleanField()), null=True, output_field=models.BooleanField(), verbose_name='peer hears this node'),
        ),
        AddGenerated(
            model_name='noderuntime',
            name='peer_leaving',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'peer', 'leaving', output_field=models.BooleanField()), null=True, output_field=models.BooleanField(), verbose_name='peer goes down'),
        ),
        AddGenerated(
            model_name='noderuntime',
            name='listening_since',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.Remembered('memory', 'listening_since', output_field=models.FloatField()), null=True, output_field=models.FloatField(), verbose_name='listens to its peer since (lab time)'),
        ),
        AddGenerated(
            model_name='noderuntime',
            name='service_down',
            field=models.GeneratedField(db_persist=True, expression=redundancy.models.fields.ServiceDown('memory'), null=True, output_field=models.BooleanField(), verbose_name='a monitored service is down'),
        ),
    ]
