from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("activity", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="event",
            name="event_by_time",
        ),
        migrations.RemoveIndex(
            model_name="event",
            name="event_by_target",
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["chain", "time", "sequence"], name="event_by_time"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["chain", "name", "sequence"], name="event_by_name"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["chain", "target_kind", "target_id", "sequence"], name="event_by_target"),
        ),
    ]
