from typing import Any

from keyadmin.kernel.actor import Actor
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.representation import key_fields
from keyadmin.management.base import KeyCommand


class Command(KeyCommand):
    help = "Let a paused key work again."
    example = "resume_key 12 --reason 'ticket 4711'"

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        return key_fields(services.resume_key(actor=actor, key_id=key.pk))
