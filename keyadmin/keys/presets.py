"""Ready choices for a new key: lives to pick from, and templates for common integrations."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from keyadmin.keys.policy import Demands


@dataclass(frozen=True, slots=True)
class Template:
    """Permissions and life (days, None: never) that fit one kind of integration."""

    slug: str
    label: str
    permissions: tuple[str, ...]
    days: int | None
    purpose: str


LIVES_IN_DAYS = (30, 90, 180, 365)
DEFAULT_LIFE_IN_DAYS = 90

TEMPLATES = (
    Template(
        "provisioning",
        "Provisioning",
        ("provisioning", "view_service", "create_service", "view_inventory", "update_inventory"),
        365,
        "A server that sets up services.",
    ),
    Template(
        "billing-sync",
        "Billing sync (read-only)",
        ("view_customer", "view_transaction", "view_invoice"),
        90,
        "An accounting system that reads invoices.",
    ),
    Template("monitoring", "Monitoring", ("view_service", "view_provisioning"), None, "A dashboard or an alarm."),
    Template(
        "customer-portal",
        "Customer portal",
        ("view_own_customer", "view_own_service", "create_payment"),
        180,
        "A site on which customers help themselves.",
    ),
)


def template(slug: str) -> Template | None:
    """The template of this slug."""
    return next((one for one in TEMPLATES if one.slug == slug), None)


def last_day(now: datetime, days: int) -> date:
    """The day, in UTC, on which a key of so many days ends."""
    return (now + timedelta(days=days)).date()


def expiry_choices(now: datetime, *, dated: bool = False) -> list[tuple[str, str]]:
    """The ready lives, `dated` with the day that each means today."""
    until = expiry_hints(now)
    lives = [(str(days), life_name(days)) for days in LIVES_IN_DAYS]
    if dated:
        lives = [(value, f"{label} ({until[value]})") for value, label in lives]
    return [*lives, ("custom", "Custom date"), ("never", "No expiry")]


def life_name(days: int) -> str:
    return "1 year" if days == 365 else f"{days} days"


def expiry_hints(now: datetime) -> dict[str, str]:
    """What stands beside each ready life."""
    days = {str(days): f"until {_day(last_day(now, days))}" for days in LIVES_IN_DAYS}
    return {**days, "never": "not recommended"}


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def first_expiry(demands: Demands, now: datetime) -> dict[str, object]:
    """What the form of a new key begins with: the default life of the organisation, else ours if it is allowed."""
    days = demands.default_life_days or DEFAULT_LIFE_IN_DAYS
    if demands.longest_life_days is not None:
        days = min(days, demands.longest_life_days)
    if days in LIVES_IN_DAYS:
        return {"expiry": str(days)}
    return {"expiry": "custom", "expiry_date": last_day(now, days)}


def too_long(demands: Demands) -> dict[str, str]:
    """The ready lives that the organisation does not allow, each with the reason."""
    longest = demands.longest_life_days
    blocked = {str(days): f"{longest} days at most" for days in LIVES_IN_DAYS if longest is not None and days > longest}
    if longest is not None or not demands.never_expiring_allowed:
        blocked["never"] = "not allowed here"
    return blocked
