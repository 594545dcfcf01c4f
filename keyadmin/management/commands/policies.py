from typing import Any

from accounts import queries
from accounts.representation import policy_detail, policy_fields
from accounts.services import policies as services
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.management.base import CommandOfActs, add_organization


class Command(CommandOfActs):
    help = "Policies: named lists of permissions, which groups have."
    example = "policies create Billing --pattern view_invoice --pattern create_payment"
    columns = ("id", "name", "patterns")

    def add_acts(self) -> None:
        add_organization(self.add_act("list", self.list, "List policies.", "policies list"))
        one = self.add_act("show", self.show_one, "Show a policy and the groups that have it.", "policies show Readers")
        one.add_argument("name")
        add_organization(one)
        one = self.add_act("create", self.create, "Make a policy.", self.example)
        one.add_argument("name")
        one.add_argument("--description", default="")
        one.add_argument(
            "--pattern", action="append", required=True, metavar="P", help="may be repeated; a name, apikey.*, or *"
        )
        add_organization(one)
        one = self.add_act(
            "edit",
            self.edit,
            "Change a policy and with it all groups that have it; what is not named stays.",
            "policies edit Billing --pattern view_invoice",
        )
        one.add_argument("policy")
        one.add_argument("--name")
        one.add_argument("--description")
        one.add_argument("--pattern", action="append", metavar="P", help="may be repeated; replaces the list")
        add_organization(one)
        one = self.add_act("delete", self.delete_one, "Remove a policy that no group has.", "policies delete Billing")
        one.add_argument("name")
        add_organization(one)

    def list(self, actor: Actor, **options: Any) -> Any:
        actor = actor.meaning(self.organization(actor, options["organization"]).pk)
        return [policy_fields(policy) for policy in queries.visible_policies(actor)]

    def show_one(self, actor: Actor, **options: Any) -> Any:
        policy = queries.policy_named(self.organization(actor, options["organization"]), options["name"])
        return policy_detail(actor, policy)

    def create(self, actor: Actor, **options: Any) -> Any:
        policy = services.create_policy(
            actor=actor,
            organization=self.organization(actor, options["organization"]),
            name=options["name"],
            description=options["description"],
            patterns=options["pattern"],
        )
        return policy_fields(policy)

    def edit(self, actor: Actor, **options: Any) -> Any:
        changes = services.PolicyChanges()
        for name in ("name", "description"):
            if options[name] is not None:
                changes[name] = options[name]
        if options["pattern"]:
            changes["patterns"] = options["pattern"]
        if not changes:
            raise InvalidError("Say what to change, for example --pattern.")
        policy = queries.policy_named(self.organization(actor, options["organization"]), options["policy"])
        return policy_fields(services.edit_policy(actor=actor, policy=policy, changes=changes))

    def delete_one(self, actor: Actor, **options: Any) -> Any:
        policy = queries.policy_named(self.organization(actor, options["organization"]), options["name"])
        services.delete_policy(actor=actor, policy=policy)
        return {"deleted": policy.name}
