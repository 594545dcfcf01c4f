from typing import Any

from django.core.management.base import CommandParser

from accounts import queries as accounts
from accounts.representation import api_user_detail
from accounts.services.api_users import create_api_user
from keyadmin.kernel.actor import Actor
from keyadmin.management.base import KeyadminCommand, add_organization


class Command(KeyadminCommand):
    help = "Make an API user: a named service that owns keys and can never sign in."
    example = 'create_api_user --organization acme --name "Billing sync" --group Readers'

    def add_arguments(self, parser: CommandParser) -> None:
        add_organization(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--description", default="")
        parser.add_argument("--contact-email", default="", metavar="ADDRESS")
        parser.add_argument("--group", action="append", default=[], metavar="NAME", help="may be repeated")

    def act(self, actor: Actor, **options: Any) -> Any:
        organization = self.organization(actor, options["organization"])
        user = create_api_user(
            actor=actor,
            organization=organization,
            name=options["name"],
            description=options["description"],
            contact_email=options["contact_email"],
            groups=[accounts.group_named(organization, name) for name in options["group"]],
        )
        return api_user_detail(accounts.visible_member(actor, user.pk))
