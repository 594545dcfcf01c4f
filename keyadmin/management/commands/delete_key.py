from typing import Any

from keyadmin.kernel.actor import Actor
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.management.base import KeyCommand


class Command(KeyCommand):
    help = "Revoke a key and remove its record; the activity log keeps the story."
    example = "delete_key 12"

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        services.delete_key(actor=actor, key_id=key.pk)
        return {"deleted": key.masked, "name": key.name}
