import sys
from getpass import getpass
from typing import Any

from django.core.management.base import CommandParser

from accounts import queries as accounts
from keyadmin.kernel import given
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.text import one_line
from keyadmin.keys import services
from keyadmin.keys.representation import assigned_fields
from keyadmin.management.base import KeyadminCommand, expiry_argument


class Command(KeyadminCommand):
    help = (
        "Give a user the one key that is assigned to them: a secret made elsewhere, read from standard input, or a "
        "generated one. It replaces at once the one assigned before; an empty line revokes that."
    )
    example = "assign_key --user sync@example.org < secret.txt"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", metavar="USER", required=True, help="id, uid or e-mail")
        parser.add_argument("--generate", action="store_true", help="generate the secret and print it: once")
        parser.add_argument("--expires", help="2027-01-31 (end of that day, UTC), 90d or never")

    def act(self, actor: Actor, **options: Any) -> Any:
        owner = accounts.assignee(actor, options["user"])
        expires = options["expires"]
        issued = services.set_assigned_key(
            actor=actor,
            owner=owner,
            secret=None if options["generate"] else _given_secret(),
            expires_at=services.UNSAID if expires is None else expiry_argument(expires),
        )
        return assigned_fields(issued) if issued else {}

    def show(self, result: Any) -> None:
        if not result:
            self.stderr.write("No key was assigned to this user, so nothing was done.")
            return
        key = f"API key {result['api_key_id']} ({one_line(result['name'])})"
        if result["status"] == "revoked":
            self.stderr.write(f"{key} is revoked.")
        elif "api_key" in result:
            self.stderr.write(f"{key} has a new secret, shown only now:")
            self.stdout.write(result["api_key"])
        else:
            self.stderr.write(f"{key} has the secret that was given.")
        if "warning" in result:
            self.stderr.write(result["warning"])


def _given_secret() -> str:
    """The line on standard input; a person who types it sees nothing of it."""
    if sys.stdin.isatty():
        return getpass("Secret (none: revoke): ")
    text = sys.stdin.read(40 * given.LONGEST)  # enough to say how far too long it is
    return text.removesuffix("\n").removesuffix("\r")
