from typing import Any

from django.core.management.base import CommandParser

from accounts import queries as accounts
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.text import one_line
from keyadmin.keys import services
from keyadmin.keys.representation import issued_fields
from keyadmin.management.base import KeyadminCommand, add_organization, expiry_argument


class Command(KeyadminCommand):
    help = "Make an API key and print its secret: once, here and nowhere else."
    example = 'create_key --organization acme --name "Billing sync" --expires 90d --permission view_invoice'

    def add_arguments(self, parser: CommandParser) -> None:
        add_organization(parser)
        parser.add_argument("--name", required=True, help="1 to 80 characters; used in the logs")
        parser.add_argument("--description", default="", help="who uses it, where it is stored")
        parser.add_argument(
            "--expires",
            help="2027-01-31 (end of that day, UTC), 90d or never (unsaid: as the key policy has it, else never)",
        )
        rights = parser.add_mutually_exclusive_group()
        rights.add_argument("--permission", action="append", metavar="P", help="may be repeated; a name, or apikey.*")
        rights.add_argument("--admin", action="store_true", help="all permissions of the organisation")
        parser.add_argument("--user", metavar="ID", help="make a key with this user's rights; id, uid or e-mail")
        parser.add_argument("--network", action="append", default=[], metavar="CIDR", help="may be repeated")
        parser.add_argument("--rate-limit", metavar="N/UNIT", help="such as 600/minute; second, minute, hour or day")
        parser.add_argument("--environment", choices=["live", "test"], default="live", help="a label; default live")

    def act(self, actor: Actor, **options: Any) -> Any:
        permissions = ["*"] if options["admin"] else options["permission"]
        organization = None
        owner = accounts.key_owner(actor, options["user"]) if options["user"] is not None else None
        if owner is None or options["organization"]:
            organization = self.organization(actor, options["organization"])
        issued = services.create_key(
            actor=actor,
            name=options["name"],
            kind="user" if owner else "organization",
            organization=organization,
            owner=owner,
            description=options["description"],
            permissions=permissions,
            expires_at=expiry_argument(options["expires"]) if options["expires"] is not None else services.UNSAID,
            environment=options["environment"],
            allowed_networks=options["network"],
            rate_limit=options["rate_limit"],
        )
        return issued_fields(issued)

    def show(self, result: Any) -> None:
        self.stderr.write(
            f"API key {result['api_key_id']} ({one_line(result['name'])}) was made. Its secret is shown only now:"
        )
        self.stdout.write(result["api_key"])
