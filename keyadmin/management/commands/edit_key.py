from typing import Any

from django.core.management.base import CommandParser

from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.representation import key_fields
from keyadmin.management.base import KeyCommand, expiry_argument


class Command(KeyCommand):
    help = "Change name, description, expiry, permissions, networks or rate limit of a key; what is not named stays."
    example = "edit_key 12 --expires 2027-01-31 --permission view_customer --permission view_invoice"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name")
        parser.add_argument("--description")
        parser.add_argument("--expires", help="2027-01-31 (end of that day, UTC), 90d or never")
        rights = parser.add_mutually_exclusive_group()
        rights.add_argument("--permission", action="append", metavar="P", help="may be repeated; replaces the list")
        rights.add_argument("--admin", action="store_true", help="all permissions of the organisation")
        rights.add_argument("--no-permissions", action="store_true", help="empty the list")
        rights.add_argument("--all-of-owner", action="store_true", help="a user key: whatever its owner may do")
        networks = parser.add_mutually_exclusive_group()
        networks.add_argument("--network", action="append", metavar="CIDR", help="may be repeated; replaces the list")
        networks.add_argument("--any-network", action="store_true", help="empty the list of networks")

        limit = parser.add_mutually_exclusive_group()
        limit.add_argument("--rate-limit", metavar="N/UNIT", help="such as 600/minute; second, minute, hour or day")
        limit.add_argument("--default-rate-limit", action="store_true", help="no limit of its own: the organisation's")

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        changes = services.KeyChanges()
        for name in ("name", "description"):
            if options[name] is not None:
                changes[name] = options[name]
        if options["expires"] is not None:
            changes["expires_at"] = expiry_argument(options["expires"])
        if options["permission"] or options["admin"] or options["no_permissions"]:
            changes["permissions"] = ["*"] if options["admin"] else options["permission"] or []
        if options["all_of_owner"]:
            changes["permissions"] = None
        if options["network"] or options["any_network"]:
            changes["allowed_networks"] = options["network"] or []
        if options["rate_limit"] is not None or options["default_rate_limit"]:
            changes["rate_limit"] = options["rate_limit"]
        if not changes:
            raise InvalidError("Say what to change, for example --name.")
        return key_fields(services.edit_key(actor=actor, key_id=key.pk, changes=changes))
