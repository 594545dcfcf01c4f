from typing import Any

from keyadmin.kernel.actor import Actor
from keyadmin.keys.models import APIKey
from keyadmin.keys.representation import key_fields
from keyadmin.management.base import KeyCommand


class Command(KeyCommand):
    help = "Show one API key: all but its secret, which nobody can read again."
    example = "show_key 12"

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        return key_fields(key)
