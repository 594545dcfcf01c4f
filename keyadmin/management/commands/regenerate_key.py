from typing import Any

from django.core.management.base import CommandParser

from keyadmin.kernel.actor import Actor
from keyadmin.kernel.text import one_line
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.representation import issued_fields
from keyadmin.management.base import KeyCommand, expiry_argument


class Command(KeyCommand):
    help = "Replace a key's secret and print the new one: once. The old secret is dead at once."
    example = "regenerate_key ka_live_8f3kQ2mZp0Xa...9t0w --expires 90d"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--expires", help="a new expiry: 2027-01-31, 90d or never; an expired key needs one")

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        expires = options["expires"]
        issued = services.regenerate_key(
            actor=actor,
            key_id=key.pk,
            expires_at=services.UNSAID if expires is None else expiry_argument(expires),
        )
        return issued_fields(issued)

    def show(self, result: Any) -> None:
        self.stderr.write(
            f"API key {result['api_key_id']} ({one_line(result['name'])}) has a new secret, shown only now:"
        )
        self.stdout.write(result["api_key"])
