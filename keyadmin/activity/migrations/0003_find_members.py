import json
from typing import Any

from django.db import migrations, models

NAMES = ("group.member_added", "group.member_removed", "invitation.accepted")


def repeat_from_text(apps: Any, schema_editor: Any) -> None:
    """Fill the column from what the entries say, as new ones do."""
    event = apps.get_model("activity", "Event")
    for pk, text in event.objects.filter(name__in=NAMES).values_list("pk", "text").iterator(chunk_size=1000):
        body = json.loads(text)
        said = {**(body["before"] or {}), **(body["after"] or {})}
        event.objects.filter(pk=pk).update(member_id=said.get("member_id"))


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0002_look_ups_without_a_sort"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="member_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunPython(repeat_from_text, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("member_id__isnull", False)),
                fields=["chain", "member_id", "sequence"],
                name="event_by_member",
            ),
        ),
    ]
