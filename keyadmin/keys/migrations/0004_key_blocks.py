import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_key_policies_and_versions"), ("keys", "0003_given_secrets")]

    operations = [
        migrations.CreateModel(
            name="KeyBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("blocked_at", models.DateTimeField()),
                ("blocked_by_label", models.CharField(max_length=150)),
                ("reason", models.CharField(blank=True, max_length=200)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="keys.apikey"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.organization"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["key", "organization"], name="keyblock_once_in_an_organization")
                ],
            },
        ),
    ]
