from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_older_secrets_for_saved(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Nobody was asked, so nobody is reminded."""
    apps.get_model("keys", "APIKey").objects.update(secret_confirmed_at=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("keys", "0001_initial")]

    operations = [
        migrations.AddField("APIKey", "secret_confirmed_at", models.DateTimeField(null=True)),
        migrations.RunPython(take_older_secrets_for_saved, migrations.RunPython.noop),
    ]
