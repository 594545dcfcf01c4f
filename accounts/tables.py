"""The lists of people, API users, groups, policies, permissions and organisations as tables."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2 import Column

from accounts.models import Group, Membership, Organization, Permission, Policy
from accounts.words import summary
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS
from keyadmin.keys import queries as keys
from keyadmin.web import words
from keyadmin.web.auth import actor_of
from keyadmin.web.tables import ALPHABET, OLDEST, KitTable, look
from keyadmin.web.templatetags import kit

FEWEST, LOWEST = ("fewest first", "most first"), ("lowest first", "highest first")


class OrganizationTable(KitTable):
    """A table on a page of one organisation."""

    def address(self, route: str, *parts: object) -> str:
        return reverse(route, args=[self.request.organization.slug, *parts])

    def link(self, url: str, name: str, below: str = "", tags: tuple[str, ...] = ()) -> SafeString:
        """What names a row: a link, and a muted line beneath."""
        beneath = format_html('<span class="ka-sub ka-lines-2">{}</span>', below) if below else ""
        return format_html('<a class="ka-lines-3" href="{}"><bdi>{}</bdi></a>{}{}', url, name, kit.tags(tags), beneath)

    def menu(self, pk: object, name: str, items: list[dict[str, Any]]) -> SafeString:
        """The acts on a row."""
        context = {"id": f"acts-{pk}", "name": name, "items": items}
        return SafeString(render_to_string("components/menu.html", context, self.request))


class MemberTable(OrganizationTable):
    """Users with their groups and keys. Columns are called as the filterset's sorts are."""

    route = ""
    groups = Column(verbose_name="Groups", accessor="pk", orderable=False, attrs=look(wide="md", phone=False))
    keys = Column(verbose_name="Keys", accessor="pk", orderable=False, attrs=look(label=True, fit=True))

    def before_render(self, request: HttpRequest) -> None:
        """Ask once for all rows of the page."""
        self.counts = keys.counts_by_owner(row.record.user_id for row in self.paginated_rows)
        held = actor_of(request).rights_in(request.organization.pk)  # type: ignore[attr-defined]
        self.sees_keys = held.allows("apikey.view") or held.allows("apikey.ctrl")

    def render_name(self, record: Membership) -> SafeString:
        user = record.user
        tags = ("Instance administrator",) if user.is_instance_admin else ()
        return self.link(self.address(self.route, user.pk), user.name, user.description or user.email or "", tags)

    def render_groups(self, record: Membership) -> SafeString | str:
        names = sorted((member.group.name for member in record.groups.all()), key=str.lower)
        return kit.tags(names) if names else "None"

    def render_keys(self, record: Membership) -> SafeString | str:
        working, every = self.counts.get(record.user_id, (0, 0))
        if not every:
            return "None"
        figures = format_html('{} <span class="ka-extra">of {} active</span>', working, every)
        url = f"{self.address('keys')}?owner={record.user_id}&status=all"
        return format_html('<a href="{}">{}</a>', url, figures) if self.sees_keys else figures

    def render_status(self, record: Membership) -> SafeString:
        return user_badge(is_active=record.user.is_active)


class ApiUserTable(MemberTable):
    caption = "API users"
    route = "api_user"
    name = Column(verbose_name="Name", accessor="user__name", attrs=look(order=ALPHABET))
    status = Column(verbose_name="Status", accessor="user__is_active", orderable=False, attrs=look(fit=True))
    created = Column(
        verbose_name="Created", accessor="user__created_at", attrs=look(wide="lg", phone=False, order=OLDEST)
    )
    acts = Column(verbose_name="Actions", accessor="pk", orderable=False, attrs=look(silent=True, fit=True))

    class Meta:
        sequence = ("name", "groups", "keys", "status", "created", "acts")

    def before_render(self, request: HttpRequest) -> None:
        super().before_render(request)
        held = actor_of(request).rights_in(request.organization.pk)  # type: ignore[attr-defined]
        self.manages, self.makes_keys = held.allows("user.ctrl"), held.allows("apikey.ctrl")

    def render_acts(self, record: Membership) -> SafeString:
        user = record.user

        def act(label: str, route: str, icon: str, **more: Any) -> dict[str, Any]:
            return {"label": label, "url": self.address(route, user.pk), "icon": icon, "modal": True, **more}

        items = [act("View", "api_user", "eye", modal=False)]
        if self.makes_keys and user.is_active:
            url = f"{self.address('key_new')}?kind=user&owner={user.pk}"
            items.append({"label": "Create API key", "url": url, "icon": "key", "modal": True})
        if self.manages:
            items.append(act("Edit", "api_user_edit", "pencil"))
            items += [act("Disable…", "api_user_disable", "pause", danger=True)] if user.is_active else []
            if not self.counts.get(user.pk, (0, 0))[1]:
                items.append(act("Delete…", "api_user_delete", "trash", danger=True))
        return self.menu(user.pk, user.name, items)

    def render_created(self, record: Membership) -> SafeString:
        return kit.day(record.user.created_at)


class PersonTable(MemberTable):
    caption = "People"
    route = "member"
    name = Column(verbose_name="Name", accessor="user__name", attrs=look(order=ALPHABET))
    status = Column(verbose_name="Status", accessor="user__is_active", orderable=False, attrs=look(fit=True))
    seen = Column(
        verbose_name="Last sign-in",
        accessor="user__last_login",
        empty_values=(),
        attrs=look(wide="md", label=True, order=OLDEST),
    )

    factor = Column(
        verbose_name="Second factor",
        accessor="second_factor",
        orderable=False,
        attrs=look(wide="lg", label=True, fit=True),
    )

    class Meta:
        sequence = ("name", "groups", "keys", "seen", "factor", "status")

    def render_factor(self, value: bool) -> SafeString:
        return kit.badge("On", "ok", "check-circle") if value else kit.badge("Off", "off", "slash")

    def render_seen(self, record: Membership) -> SafeString:
        return kit.ago(record.user.last_login)


class GroupTable(OrganizationTable):
    caption = "Groups"
    name = Column(verbose_name="Name", attrs=look(order=ALPHABET))
    gives = Column(verbose_name="What members may do", accessor="pk", orderable=False, attrs=look(wide="md"))
    members = Column(verbose_name="Members", accessor="pk", attrs=look(label=True, order=FEWEST))
    policies = Column(verbose_name="Policies", accessor="pk", orderable=False, attrs=look(wide="lg", phone=False))

    def __init__(self, *args: Any, catalogue: list[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue = catalogue

    def render_name(self, record: Group) -> SafeString:
        return self.link(self.address("group", record.pk), record.name, record.description)

    def render_gives(self, record: Group) -> str:
        return summary(self.catalogue, {pattern for policy in record.policies.all() for pattern in policy.patterns})

    def render_members(self, record: Any) -> str:
        if not record.people and not record.services:
            return "None"
        found = [words.counted(record.people, "person", "people")] if record.people else []
        return ", ".join([*found, *([words.counted(record.services, "API user")] if record.services else [])])

    def render_policies(self, record: Group) -> SafeString | str:
        names = sorted((policy.name for policy in record.policies.all()), key=str.lower)
        return kit.tags(names) if names else "None"


class PolicyTable(OrganizationTable):
    caption = "Policies"
    name = Column(verbose_name="Name", attrs=look(order=ALPHABET))
    rules = Column(verbose_name="What it gives", accessor="pk", orderable=False, attrs=look(wide="md"))
    groups = Column(verbose_name="Groups", accessor="uses", attrs=look(label=True, fit=True, order=FEWEST))
    version = Column(verbose_name="Version", attrs=look(wide="lg", phone=False, order=LOWEST))

    def __init__(self, *args: Any, catalogue: list[Permission], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue = catalogue

    def render_name(self, record: Policy) -> SafeString:
        return self.link(self.address("policy", record.pk), record.name, record.description)

    def render_rules(self, record: Policy) -> SafeString:
        rules = words.counted(len(record.patterns), "rule")
        return format_html('{} <span class="ka-sub">{}</span>', summary(self.catalogue, record.patterns), rules)

    def render_groups(self, record: Any) -> str:
        return words.counted(record.uses, "group") if record.uses else "None"


class PermissionTable(OrganizationTable):
    """The catalogue, with who holds each permission, as far as the person may see them."""

    caption = "Permissions"
    name = Column(verbose_name="Permission", attrs=look(order=ALPHABET))
    resource = Column(verbose_name="Resource", attrs=look(wide="lg", order=ALPHABET))
    action = Column(verbose_name="Action", orderable=False, attrs=look(wide="lg", phone=False, fit=True))
    risk = Column(verbose_name="Risk", attrs=look(fit=True, order=LOWEST))
    tasks = Column(verbose_name="Needed for", empty_values=(), orderable=False, attrs=look(wide="md", phone=False))
    held = Column(verbose_name="Held by", accessor="pk", orderable=False, attrs=look(label=True))
    acts = Column(verbose_name="Actions", accessor="pk", orderable=False, attrs=look(silent=True, fit=True))

    def __init__(self, *args: Any, holders: Any, may_edit: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.holders, self.may_edit = holders, may_edit

    def before_render(self, request: HttpRequest) -> None:
        """Ask once for all rows of the page."""
        self.users, self.keys = self.holders([row.record.name for row in self.paginated_rows])

    def render_name(self, record: Permission) -> SafeString:
        own = kit.tags(["Custom"]) if record.pack == "custom" else ""
        below = format_html('<span class="ka-sub">{}</span>', record.description) if record.description else ""
        named = '<span class="ka-name">{}</span>{} <code class="ka-sub">{}</code>{}'
        return format_html(named, record.label, own, record.name, below)

    def render_action(self, record: Any) -> str:
        return str(record.get_action_display())

    def render_risk(self, record: Any) -> SafeString:
        tone = {"low": "off", "medium": "warn", "high": "bad"}[record.risk]
        return kit.badge(str(record.get_risk_display()), tone)

    def render_tasks(self, record: Permission) -> SafeString:
        lines = format_html_join("", "<li><code>{}</code></li>", ((task,) for task in record.tasks))
        if not lines:
            return SafeString("")
        if len(record.tasks) == 1:
            return format_html('<ul class="ka-tasks">{}</ul>', lines)
        head = words.counted(len(record.tasks), "task")
        return format_html('<details><summary>{}</summary><ul class="ka-tasks">{}</ul></details>', head, lines)

    def render_held(self, record: Permission) -> SafeString | str:
        found = []
        if self.users is not None:
            user = self.users[record.name]
            found += [(user.people, "person", "people", "members"), (user.services, "API user", "", "api_users")]
        if self.keys is not None:
            found.append((self.keys[record.name], "key", "", "keys"))
        if record.name in INSTANCE_PERMISSIONS:
            return "Instance administrators"
        linked = [
            (f"{self.address(route)}?can={record.name}", words.counted(number, one, many))
            for number, one, many, route in found
            if number
        ]
        if not linked:
            return "Nobody" if found else ""
        return format_html_join(", ", '<a href="{}">{}</a>', linked)

    def render_acts(self, record: Permission) -> SafeString | str:
        if not self.may_edit or record.pack != "custom":
            return ""
        items = [
            {"label": "Edit", "url": self.address("permission_edit", record.name), "icon": "pencil", "modal": True},
            {
                "label": "Delete…",
                "url": self.address("permission_delete", record.name),
                "icon": "trash",
                "modal": True,
                "danger": True,
            },
        ]
        return self.menu(record.pk, record.label, items)


class OrganizationsTable(KitTable):
    """All organisations of the instance."""

    caption = "Organisations"
    name = Column(verbose_name="Name", attrs=look(order=ALPHABET))
    slug = Column(verbose_name="Address", orderable=False, attrs=look(wide="md"))
    people = Column(verbose_name="People", orderable=False, attrs=look(label=True))
    services = Column(verbose_name="API users", orderable=False, attrs=look(label=True))
    status = Column(verbose_name="Status", accessor="pk", orderable=False, attrs=look(fit=True))
    created = Column(verbose_name="Created", accessor="created_at", attrs=look(wide="lg", phone=False, order=OLDEST))

    def render_name(self, record: Organization) -> SafeString:
        return format_html('<a href="{}"><bdi>{}</bdi></a>', reverse("overview", args=[record.slug]), record.name)

    def render_slug(self, value: str) -> SafeString:
        return format_html("<code>/o/{}/</code>", value)

    def render_status(self, record: Organization) -> SafeString:
        return (
            kit.badge("Suspended", "bad", "pause") if record.suspended_at else kit.badge("Active", "ok", "check-circle")
        )

    def render_created(self, value: Any) -> SafeString:
        return kit.day(value)


def user_badge(*, is_active: bool) -> SafeString:
    """Whether a user can act."""
    return kit.badge("Active", "ok", "check-circle") if is_active else kit.badge("Disabled", "outline", "pause")
