from typing import Any

from accounts import queries
from accounts.representation import invitation_with_link, member_fields, user_ref
from accounts.services import api_users, organizations, people, second_factor, sessions
from accounts.services.invitations import invite
from keyadmin.kernel.actor import Actor
from keyadmin.management.base import CommandOfActs, add_organization
from keyadmin.system.services import address


class Command(CommandOfActs):
    help = "Members of an organisation: people and API people."
    example = "members invite kim@example.org --group Readers --organization acme"
    columns = ("id", "kind", "name", "email", "groups", "active")

    def add_acts(self) -> None:
        add_organization(self.add_act("list", self.list, "List people and API people.", "members list"))
        one = self.add_act(
            "invite", self.invite, "Print a link by which a person joins, once, in 7 days.", self.example
        )
        one.add_argument("email")
        one.add_argument("--group", action="append", default=[], metavar="NAME", help="may be repeated")
        add_organization(one)
        one = self.add_act(
            "remove",
            self.remove,
            "Take a person out of an organisation and its groups.",
            "members remove kim@example.org",
        )
        one.add_argument("user", help="id, uid or e-mail")
        add_organization(one)
        for name, do, text in (
            ("disable", self.disable, "Stop a user and all their keys: a person in the whole installation."),
            ("enable", self.enable, "Let a disabled user in again, and their keys with them."),
            (
                "remove-second-factor",
                self.remove_second_factor,
                "Remove app, passkeys and recovery codes of a person who has lost them, and sign them out everywhere.",
            ),
            ("end-sessions", self.end_sessions, "Sign a person out everywhere."),
        ):
            one = self.add_act(name, do, text, f"members {name} kim@example.org")
            one.add_argument("user", help="id, uid or e-mail")

    def list(self, actor: Actor, **options: Any) -> Any:
        actor = actor.meaning(self.organization(actor, options["organization"]).pk)
        return [member_fields(membership) for membership in queries.visible_members(actor)]

    def invite(self, actor: Actor, **options: Any) -> Any:
        organization = self.organization(actor, options["organization"])
        groups = [queries.group_named(organization, name) for name in options["group"]]
        made, token = invite(actor=actor, organization=organization, email=options["email"], groups=groups)
        return invitation_with_link(made, token, base=address())

    def remove(self, actor: Actor, **options: Any) -> Any:
        organization = self.organization(actor, options["organization"])
        user = queries.referenced_user(actor, options["user"])
        organizations.remove_membership(actor=actor, organization=organization, user=user)
        return {"removed": user.name, "organization": organization.slug}

    def disable(self, actor: Actor, **options: Any) -> Any:
        return self._switch(actor, options["user"], people.disable_person, api_users.disable_api_user)

    def enable(self, actor: Actor, **options: Any) -> Any:
        return self._switch(actor, options["user"], people.enable_person, api_users.enable_api_user)

    def remove_second_factor(self, actor: Actor, **options: Any) -> Any:
        user = queries.referenced_user(actor, options["user"])
        second_factor.remove_all(actor=actor, user=user)
        return user_ref(user)

    def end_sessions(self, actor: Actor, **options: Any) -> Any:
        user = queries.referenced_user(actor, options["user"])
        return {**user_ref(user), "ended": sessions.end_all(actor=actor, user=user)}

    def show(self, result: Any) -> None:
        if isinstance(result, dict) and "link" in result:
            self.stderr.write(f"{result['email']} may join by this link, which is shown only now:")
            self.stdout.write(result["link"])
        else:
            super().show(result)

    def _switch(self, actor: Actor, reference: str, person: Any, api_user: Any) -> Any:
        user = queries.referenced_user(actor, reference)
        if user.kind == "person":
            user = person(actor=actor, user=user)
        else:
            user = api_user(actor=actor, organization=queries.home_of(user), user=user)
        return {**user_ref(user), "active": user.is_active}
