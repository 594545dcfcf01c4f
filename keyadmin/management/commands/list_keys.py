from typing import Any

from django.core.management.base import CommandParser

from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.text import one_line
from keyadmin.keys import queries
from keyadmin.keys.filters import DEFAULT_STATUS, SORT_NAMES, KeyFilter
from keyadmin.keys.representation import key_fields
from keyadmin.keys.status import FILTERS
from keyadmin.management.base import KeyadminCommand


class Command(KeyadminCommand):
    help = "List API keys, newest first."
    example = "list_keys --organization acme --status expiring_soon"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="slug or oid; default: all")
        parser.add_argument("--status", choices=list(FILTERS), default=DEFAULT_STATUS, help="default: not_revoked")
        parser.add_argument("--search", help="in name and description, or 4+ characters of the token id")
        parser.add_argument("--sort", choices=SORT_NAMES, default="-created", help="default: -created")

    def act(self, actor: Actor, **options: Any) -> Any:
        if options["organization"]:
            actor = actor.meaning(self.organization(actor, options["organization"]).pk)
        chosen = {name: options[name] for name in ("status", "search", "sort") if options[name]}
        keys = KeyFilter(chosen, queries.visible_keys(actor))
        if not keys.is_valid():
            raise InvalidError(errors={name: list(map(str, texts)) for name, texts in keys.errors.items()})
        return [key_fields(key) for key in keys.qs.iterator(chunk_size=500)]

    def show(self, result: Any) -> None:
        for key in result:
            expiry = key["expiry_date"] or "never"
            self.stdout.write(
                f"{key['api_key_id']:>6}  {key['masked_key']}  {key['status']:<13}  {expiry:<20}  "
                f"{one_line(key['name'])}"
            )
        if not result:
            self.stderr.write("No keys.")
