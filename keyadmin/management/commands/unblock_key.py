from typing import Any

from django.core.management.base import CommandParser

from keyadmin.kernel.actor import Actor
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.representation import key_fields
from keyadmin.management.base import KeyCommand, add_organization


class Command(KeyCommand):
    help = "Let a blocked key work again in one organisation."
    example = "unblock_key 12 --organization acme"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_organization(parser)

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        organization = self.organization(actor, options["organization"])
        return key_fields(services.unblock_key(actor=actor, key_id=key.pk, organization=organization))
