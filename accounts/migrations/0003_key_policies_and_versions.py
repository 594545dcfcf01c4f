from typing import Any

from django.db import migrations
from django.utils import timezone


def fill(apps: Any, schema_editor: Any) -> None:
    """Give what exists a key policy that demands nothing, and a first version to compare with."""
    organization, key_policy = apps.get_model("accounts", "Organization"), apps.get_model("accounts", "KeyPolicy")
    without = organization.objects.filter(key_policy=None).values_list("pk", flat=True)
    key_policy.objects.bulk_create([key_policy(organization_id=pk) for pk in without.iterator()], batch_size=500)
    policy, version = apps.get_model("accounts", "Policy"), apps.get_model("accounts", "PolicyVersion")
    now = timezone.now()
    rows = policy.objects.filter(versions=None).iterator()
    version.objects.bulk_create(
        [
            version(
                policy=row,
                version=row.version,
                name=row.name,
                description=row.description,
                patterns=row.patterns,
                saved_at=now,
                saved_by_label="keyadmin",
            )
            for row in rows
        ],
        batch_size=500,
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_management")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
