from django.db import migrations


def let_steps_update_no_index(apps, schema_editor):
    """On PostgreSQL: no index on what each step of SRM changes, as in 0010.

    In a migration of its own: an index is made at the end of the one that adds its column.
    """
    if schema_editor.connection.vendor != 'postgresql':
        return
    table = apps.get_model('redundancy', 'NodeRuntime')._meta.db_table
    with schema_editor.connection.cursor() as cursor:
        found = schema_editor.connection.introspection.get_constraints(cursor, table)
    for name, facts in found.items():
        if facts['index'] and facts['columns'] == ['limit_at']:
            schema_editor.execute(f'DROP INDEX {schema_editor.connection.ops.quote_name(name)}')


class Migration(migrations.Migration):

    dependencies = [
        ('redundancy', '0012_real_clients'),
    ]

    operations = [
        migrations.RunPython(let_steps_update_no_index, migrations.RunPython.noop),
    ]
