"""The page about rounds: the number in force and where it comes from, what this server takes for it, and saving one."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access
from keyadmin.instance import measuring, queries, services
from keyadmin.instance.forms import TARGET_MS, MeasureForm, RoundsForm
from keyadmin.instance.queries import Source
from keyadmin.kernel import calibration, hashing
from keyadmin.kernel.config_file import ROUNDS_NAME
from keyadmin.kernel.errors import ProblemError, StaleError
from keyadmin.kernel.survey import Survey
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.curves import curve
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished
from keyadmin.web.identity import ask_identity
from keyadmin.web.navigation import Crumb

SOURCES = {
    Source.ENVIRONMENT: "the environment variable API_KEY_ROUNDS_NO",
    Source.DATA_DIRECTORY: "config.yml in the data directory",
    Source.MACHINE: "/etc/keyadmin/config.yml, for every installation on this machine",
    Source.SAVED: "the number saved on this page",
    Source.DEFAULT: f"the number that Keyadmin comes with, {hashing.DEFAULT_ROUNDS:,}",
}
BEYOND = 2
COMMAND = ".venv/bin/python manage.py calibrate_rounds"


@require_http_methods(["GET", "POST"])
@signed_in
def rounds(request: HttpRequest) -> HttpResponse:
    """The number in force; a POST saves another one."""
    actor = actor_of(request)
    if request.method != "POST":
        access.require_settings_view(actor)
        return _page(request)
    access.require_instance(actor, "setting.ctrl")
    form = _save_form(request, request.POST)
    is_stale = False
    if form.is_valid():
        typed = form.cleaned_data
        try:
            changes = services.SettingsChanges(api_key_rounds_no=typed["api_key_rounds_no"])
            saved = services.edit_settings(actor=actor, changes=changes, expected_version=typed["version"])
            return finished(request, reverse("instance_rounds"), f"New hashes have {saved.number:,} rounds.")
        except StaleError:
            is_stale = True
        except ProblemError as error:
            add_errors(form, error)
    return _page(request, save_form=form, is_stale=is_stale, status=UNPROCESSABLE)


@require_POST
@signed_in
def measure(request: HttpRequest) -> HttpResponse:
    """Measure this server, and show what came of it: some seconds."""
    actor = actor_of(request)
    access.require_instance(actor, "setting.ctrl")
    form = _measure_form(request.POST)
    if not form.is_valid():
        return _page(request, measure_form=form, status=UNPROCESSABLE)
    typed = form.cleaned_data
    try:
        found = measuring.measure(actor=actor, scheme=typed["hash_name"], target_ms=typed["target_ms"])
    except ProblemError as error:
        add_errors(form, error)
        return _page(request, measure_form=form, status=error.kind.status)
    return _page(request, measure_form=form, survey=found)


def _measure_form(data: Any = None) -> MeasureForm:
    return MeasureForm(data, auto_id="measure_%s", initial={"target_ms": TARGET_MS})


def _save_form(request: HttpRequest, data: Any = None, **initial: Any) -> RoundsForm:
    form = RoundsForm(data, auto_id="save_%s", initial=initial)
    ask_identity(form, request)
    return form


def _page(
    request: HttpRequest,
    *,
    measure_form: MeasureForm | None = None,
    save_form: RoundsForm | None = None,
    survey: Survey | None = None,
    is_stale: bool = False,
    status: int = 200,
) -> HttpResponse:
    """The whole page, with the forms as they were sent, and what was measured."""
    now, actor = queries.rounds(), actor_of(request)
    suggested = survey.found.rounds if survey else None
    trusted = suggested if survey and not survey.doubt else None
    context = {
        "now": now,
        "source": SOURCES[now.source],
        "sources": [(SOURCES[one], one is now.source) for one in Source],
        "scheme": settings.KEY_HASHER.scheme,
        "useless": calibration.USELESS,
        "may_manage": actor.held.instance.allows("setting.ctrl"),
        "measure_form": measure_form or _measure_form(),
        "save_form": save_form
        or _save_form(request, api_key_rounds_no=trusted or now.saved or now.number, version=now.version),
        "suggested": suggested,
        "trusted": trusted,
        "result": _result(survey, now) if survey else None,
        "is_stale": is_stale,
        "stale": queries.last_change() if is_stale else None,
        "has_errors": bool(status != 200),
        "crumbs": [Crumb("Rounds", reverse("instance_rounds") if survey else "")],
    }
    return render(request, "instance/rounds.html", context, status=status)


def _result(survey: Survey, now: queries.Rounds) -> dict[str, Any]:
    """What was measured, to show."""
    found = survey.found
    # What lies far beyond the suggested number would leave the way to it no room.
    near = [point for point in survey.points if point.rounds <= BEYOND * (found.rounds or 0)]
    points = [(point.rounds, point.milliseconds) for point in near]
    return {
        "found": found,
        "doubt": survey.doubt,
        "is_weak": found.rounds is not None and found.rounds < calibration.WEAK_ROUNDS,
        "points": survey.points,
        "now": survey.at(now.number),
        "curve": curve(points, (found.rounds, found.target_ms)) if found.rounds else None,
        "line": f"{ROUNDS_NAME}: {found.rounds}",
        "command": f"{COMMAND} {found.scheme} {found.target_ms}",
    }
