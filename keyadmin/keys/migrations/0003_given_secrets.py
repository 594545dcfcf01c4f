from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q
from django.utils.crypto import get_random_string


def name_what_has_no_token_id(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """On the way back: no record is lost, but a secret made elsewhere can be found no more, so it stops working."""
    for name in ("APIKey", "FormerTokenId"):
        rows = apps.get_model("keys", name).objects.filter(token_id=None)
        for pk in rows.values_list("pk", flat=True):
            rows.filter(pk=pk).update(token_id=get_random_string(12))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_key_policies_and_versions"),
        ("keys", "0002_apikey_secret_confirmed_at"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("APIKey", "assigned", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("APIKey", "bucket", models.BigIntegerField(null=True, db_index=True)),
        migrations.AlterField("APIKey", "prefix", models.CharField(max_length=16, blank=True)),
        migrations.AlterField("APIKey", "tail", models.CharField(max_length=4, blank=True)),
        migrations.AlterField("APIKey", "token_id", models.CharField(max_length=12, unique=True, null=True)),
        migrations.AlterField("FormerTokenId", "tail", models.CharField(max_length=4, blank=True)),
        migrations.AlterField("FormerTokenId", "token_id", models.CharField(max_length=12, unique=True, null=True)),
        migrations.RunPython(migrations.RunPython.noop, name_what_has_no_token_id),
        migrations.AddConstraint(
            "APIKey",
            models.CheckConstraint(
                condition=Q(token_id__isnull=False, bucket__isnull=True, tail__gt="")
                | Q(token_id__isnull=True, bucket__isnull=False),
                name="apikey_found_by_token_id_or_bucket",
            ),
        ),
        migrations.AddConstraint(
            "APIKey",
            models.CheckConstraint(condition=Q(assigned=False) | Q(kind="user"), name="apikey_assigned_to_a_user"),
        ),
        migrations.AddConstraint(
            "APIKey",
            models.UniqueConstraint(
                fields=["owner"], condition=Q(assigned=True, revoked_at=None), name="apikey_one_assigned_for_each_user"
            ),
        ),
    ]
