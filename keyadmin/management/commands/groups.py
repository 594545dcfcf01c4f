from typing import Any

from accounts import queries
from accounts.representation import group_detail, group_fields
from accounts.services import groups as services
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.management.base import CommandOfActs, add_organization


class Command(CommandOfActs):
    help = "Groups: who is in them, and which policies say what they may do."
    example = 'groups create "Night shift" --policy Readers --organization acme'
    columns = ("id", "name", "policies")

    def add_acts(self) -> None:
        add_organization(self.add_act("list", self.list, "List groups.", "groups list"))
        one = self.add_act("show", self.show_one, "Show a group and its members.", "groups show Readers")
        one.add_argument("name")
        add_organization(one)
        one = self.add_act("create", self.create, "Make a group.", self.example)
        one.add_argument("name")
        one.add_argument("--description", default="")
        one.add_argument("--policy", action="append", default=[], metavar="NAME", help="may be repeated")
        add_organization(one)
        one = self.add_act(
            "edit", self.edit, "Change a group; what is not named stays.", "groups edit Readers --name 'All readers'"
        )
        one.add_argument("group")
        one.add_argument("--name")
        one.add_argument("--description")
        policies = one.add_mutually_exclusive_group()
        policies.add_argument("--policy", action="append", metavar="NAME", help="may be repeated; replaces the list")
        policies.add_argument("--no-policies", action="store_true", help="empty the list")
        add_organization(one)
        one = self.add_act(
            "delete", self.delete_one, "Remove a group; its members lose what it gave.", "groups delete 'Night shift'"
        )
        one.add_argument("name")
        add_organization(one)
        for name, do, text in (
            ("add", self.add, "Put a user in a group."),
            ("remove", self.remove, "Take a user out of a group."),
        ):
            one = self.add_act(name, do, text, f"groups {name} Readers kim@example.org")
            one.add_argument("group")
            one.add_argument("user", help="id, uid or e-mail")
            add_organization(one)

    def list(self, actor: Actor, **options: Any) -> Any:
        actor = actor.meaning(self.organization(actor, options["organization"]).pk)
        return [group_fields(group) for group in queries.visible_groups(actor)]

    def show_one(self, actor: Actor, **options: Any) -> Any:
        group = queries.group_named(self.organization(actor, options["organization"]), options["name"])
        return group_detail(group)

    def create(self, actor: Actor, **options: Any) -> Any:
        organization = self.organization(actor, options["organization"])
        group = services.create_group(
            actor=actor,
            organization=organization,
            name=options["name"],
            description=options["description"],
            policies=[queries.policy_named(organization, name) for name in options["policy"]],
        )
        return group_fields(group)

    def edit(self, actor: Actor, **options: Any) -> Any:
        organization = self.organization(actor, options["organization"])
        changes = services.GroupChanges()
        for name in ("name", "description"):
            if options[name] is not None:
                changes[name] = options[name]
        if options["policy"] or options["no_policies"]:
            changes["policies"] = [queries.policy_named(organization, name) for name in options["policy"] or ()]
        if not changes:
            raise InvalidError("Say what to change, for example --name.")
        group = queries.group_named(organization, options["group"])
        return group_fields(services.edit_group(actor=actor, group=group, changes=changes))

    def delete_one(self, actor: Actor, **options: Any) -> Any:
        group = queries.group_named(self.organization(actor, options["organization"]), options["name"])
        services.delete_group(actor=actor, group=group)
        return {"deleted": group.name}

    def add(self, actor: Actor, **options: Any) -> Any:
        return self._change(actor, services.add_member, **options)

    def remove(self, actor: Actor, **options: Any) -> Any:
        return self._change(actor, services.remove_member, **options)

    def _change(self, actor: Actor, service: Any, **options: Any) -> Any:
        group = queries.group_named(self.organization(actor, options["organization"]), options["group"])
        found = queries.referenced_user(actor, options["user"])
        service(actor=actor, group=group, user=queries.possible_member(actor, group, found.pk))
        return group_detail(group)
