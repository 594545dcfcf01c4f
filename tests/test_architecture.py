"""The house rules that a machine can hold: who may import whom, and who may write."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent

# Left never imports right.
ORDER = (
    "kernel",
    "freshness",
    "activity",
    "usage",
    "instance",
    "limits",
    "accounts",
    "sitekey",
    "keys",
    "verify",
    "system",
)
FACES = {"forms", "filters", "tables", "views", "api", "urls", "middleware", "fastpath", "signin", "sso"}
WIRING = {
    *("settings", "env", "database_url", "checks", "urls", "api", "apps", "__init__"),
    *("prepared", "turn"),
    *("wsgi", "asgi", "protocol", "server"),
}
KIT, COMPAT, COMMANDS = "web", "compat", "management"
TRANSPORT = ("ninja", "django.forms", "django.http", "django.shortcuts", "django.views", "django.urls", "crispy_forms")
WRITES = {"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete"}
WRITERS = {"services", "work", "chain"}
SIGNALS = ("django.db.models.signals", "django.dispatch")


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, the slice it belongs to, and the role that its name gives it."""

    name: str
    path: Path

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.name.split("."))

    @property
    def slice(self) -> str:
        """A room of ORDER, the kit, compat, the commands, or "" for wiring."""
        first, second = (*self.parts, "")[:2]
        if first == "accounts":
            return "accounts"
        return second if second in (*ORDER, KIT, COMPAT, COMMANDS) else ""

    @property
    def role(self) -> str:
        """The file's name, or its folder's where one folder holds one file per thing."""
        inner = self.parts[1:] if self.slice == "accounts" else self.parts[2:]
        return inner[0] if inner else "__init__"

    @property
    def is_face(self) -> bool:
        return self.role in FACES or self.slice in (KIT, COMPAT, COMMANDS)

    @property
    def is_core(self) -> bool:
        return self.slice in ORDER and not self.is_face


@dataclass(frozen=True)
class Import:
    """One imported module or name, and the line that imports it."""

    by: Module
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.by.path.relative_to(ROOT)}:{self.line} imports {self.target}"


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for package in ("keyadmin", "accounts"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found.append(Module(dotted.removesuffix(".__init__"), path))
    return tuple(found)


@cache
def tree(module: Module) -> ast.Module:
    return ast.parse(module.path.read_text())


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for module in modules() for found in _imports_of(module))


def _imports_of(module: Module) -> Iterator[Import]:
    known = {m.name for m in modules()}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path}:{node.lineno}: import by the full name, not relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(module, full if full in known else str(node.module), node.lineno)


def ours(found: Import) -> Module | None:
    return next((m for m in modules() if m.name == found.target), None)


def fail_with(findings: list[str], instead: str) -> None:
    assert not findings, "\n".join([*findings, f"Instead: {instead}"])


def test_left_never_imports_right() -> None:
    findings = []
    for found in imports():
        target = ours(found)
        if not found.by.is_core or target is None or target.slice not in ORDER:
            continue
        if ORDER.index(target.slice) > ORDER.index(found.by.slice):
            findings.append(str(found))
    fail_with(findings, f"hand the value down as an argument; the order is {' < '.join(ORDER)}.")


def test_core_imports_no_face_and_no_transport() -> None:
    findings = []
    for found in imports():
        if not found.by.is_core:
            continue
        target = ours(found)
        takes_request = found.by.name == "accounts.identity" and found.target.startswith("django.http")
        if (target is not None and target.is_face) or (found.target.startswith(TRANSPORT) and not takes_request):
            findings.append(str(found))
    fail_with(findings, "let the face call the core with plain values; only accounts.identity takes a request.")


def test_kernel_is_pure_python() -> None:
    findings = [
        str(found)
        for found in imports()
        if found.by.slice == "kernel"
        and (found.target.split(".")[0] in ("django", "accounts") or "keyadmin" in found.target)
        and not found.target.startswith("keyadmin.kernel")
    ]
    fail_with(findings, "give the kernel what it needs as arguments; it knows no Django and no other room.")


def test_a_face_reaches_other_slices_only_through_services_and_queries() -> None:
    """Representations are queries' results in JSON; shapes that several faces share stand in the kit."""
    open_to_all = {"services", "queries", "preview", "simulate", "representation", "words", "status", "models"}
    findings = []
    for found in imports():
        target = ours(found)
        if not found.by.is_face or target is None or target.slice in ("", "kernel", KIT, found.by.slice):
            continue
        if target.name in ("accounts.access", "accounts.identity"):
            continue
        if found.by.slice in (COMPAT, COMMANDS) and (target.role in ("api", "filters") or target.is_core):
            continue  # they have no slice of their own: they speak for the one they face
        if target.role not in open_to_all:
            findings.append(str(found))
    fail_with(findings, "call the other slice's services or queries.")


def test_the_kit_knows_no_domain() -> None:
    allowed = ("kernel", "instance", KIT)
    findings = []
    for found in imports():
        target = ours(found)
        if found.by.slice != KIT or target is None or target.slice in allowed:
            continue
        # The question every face may ask, and the words for what happened.
        if target.name not in ("accounts.access", "keyadmin.activity.words"):
            findings.append(str(found))
    fail_with(findings, "move what knows keys or users to their slice; the kit gets values.")


def test_only_wiring_imports_faces_of_other_slices() -> None:
    findings = []
    for found in imports():
        target = ours(found)
        if target is None or not target.is_face or target.slice in (KIT, found.by.slice):
            continue
        if found.by.slice in ("", COMPAT, COMMANDS):
            continue
        findings.append(str(found))
    fail_with(findings, "put what both need into a service, a query or the kit.")


def test_only_services_write() -> None:
    findings = []
    for module in modules():
        if module.role in WRITERS or module.slice in ("kernel", ""):
            continue
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node, node.func.attr):
                findings.append(f"{module.path.relative_to(ROOT)}:{node.lineno} calls .{node.func.attr}()")
    fail_with(findings, "call a service: it checks rights, writes the log and bumps the epoch.")


def _writes(call: ast.Call, name: str) -> bool:
    """A router has a `delete` too, but that one takes arguments."""
    return name in WRITES and not (name == "delete" and call.args)


def test_faces_do_not_query() -> None:
    findings = []
    for module in modules():
        if not module.is_face:
            continue
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Attribute) and node.attr == "objects":
                findings.append(f"{module.path.relative_to(ROOT)}:{node.lineno}")
    fail_with(findings, "ask a query function: it knows what the actor may see.")


def test_services_take_the_actor_by_keyword() -> None:
    findings = []
    for module in modules():
        if not module.is_core or module.role != "services":
            continue
        for node in tree(module).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or _is_mechanism(module, node.name):
                continue
            if any(arg.arg == "actor" for arg in node.args.args):
                findings.append(f"{module.path.relative_to(ROOT)}:{node.lineno} {node.name}")
    fail_with(findings, "make `actor` keyword-only: def change(*, actor, ...).")


def _is_mechanism(module: Module, function: str) -> bool:
    """`once` runs somebody else's service and changes nothing of its own."""
    return (module.name, function) == ("keyadmin.instance.services", "once")


def test_rows_that_others_point_at_are_locked_without_their_key() -> None:
    """PostgreSQL checks foreign keys at COMMIT by a lock that FOR UPDATE refuses: with the chain heads a deadlock."""
    pointed_at = [module for module in modules() if module.slice in ("accounts", "keys")]
    findings = []
    for module in pointed_at:
        for node in ast.walk(tree(module)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr == "select_for_update" and not any(word.arg == "no_key" for word in node.keywords):
                findings.append(f"{module.path.relative_to(ROOT)}:{node.lineno}")
    fail_with(findings, "select_for_update(no_key=True).")


def test_no_underscore_name_crosses_folders() -> None:
    findings = []
    for module in modules():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("keyadmin", "accounts")):
                private = [a.name for a in node.names if a.name.startswith("_")]
                findings += [f"{module.path.relative_to(ROOT)}:{node.lineno} imports {name}" for name in private]
    fail_with(findings, "give the name a public place and a docstring, or leave it where it is.")


def test_no_import_inside_a_function() -> None:
    allowed = {"keyadmin.apps"}  # AppConfig.ready
    findings = []
    for module in modules():
        if module.name in allowed:
            continue
        for function in ast.walk(tree(module)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        findings.append(f"{module.path.relative_to(ROOT)}:{node.lineno}")
    fail_with(findings, "import at the top; a circle means that something stands in the wrong room.")


def test_no_domain_signals() -> None:
    findings = [
        str(found) for found in imports() if found.target.startswith(SIGNALS) and found.by.name != "accounts.signin"
    ]
    fail_with(findings, "call the other thing in the service: a signal misses bulk changes and hides the order.")


def test_the_admin_site_is_not_installed() -> None:
    assert "django.contrib.admin" not in settings.INSTALLED_APPS, "it would go round services, log and epoch"


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_every_module_has_a_place(module: Module) -> None:
    """A file is in a room of the map, or wiring with a known name."""
    if module.slice:
        return
    name = module.parts[-1]
    assert name in WIRING or name == "keyadmin", f"{module.name}: put it into a room, or name it in WIRING and say why"
