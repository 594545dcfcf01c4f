"""Signing in as security teams ask for it, in a real browser: second factors, passkeys, sessions, links in mails."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import CDPSession, Page, expect

from accounts import queries
from accounts.mail import wait as wait_for_mail
from accounts.services import invitations
from tests.e2e.office import DARK, Office
from tests.e2e.watching import findings
from tests.pages.signing_in import code_of, forget_mail
from tests.world import OPERATOR, PASSWORD

KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(autouse=True)
def kept_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = "keyadmin.instance.mail.KeepingBackend"
    forget_mail()


def with_passkeys(page: Page) -> CDPSession:
    """Plug a virtual authenticator into the browser."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return session


def sign_in(page: Page, email: str = "dev@example.org", password: str = PASSWORD) -> None:
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.goto("/sign-out/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def turn_on_app(page: Page) -> tuple[str, list[str]]:
    page.goto("/me/security/")
    page.get_by_role("link", name="Set up the authenticator app").click()
    secret = page.locator("#totp-secret").inner_text()
    page.get_by_label("Code from the app").fill(code_of(secret, steps=-1))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    codes = page.locator("#codes").inner_text().split()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()  # not before the tick
    page.get_by_label("I have saved my recovery codes").check()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("10 codes left")).to_be_visible()
    return secret, codes


@pytest.mark.parametrize("scripts", [True, False])
def test_app_and_recovery_code(office: Office, scripts: bool) -> None:
    page = office.open("/", signed_in=False, java_script_enabled=scripts)
    sign_in(page)
    secret, codes = turn_on_app(page)
    sign_out(page)

    sign_in(page)
    field = page.get_by_label("Code")
    field.fill("123456")
    expect(page).to_have_url(re.compile("/sign-in/2fa/$"))  # nothing is sent by itself
    field.press("Enter")
    expect(page.get_by_text("There is a problem")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/o/acme/$"))

    sign_out(page)
    sign_in(page)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/o/acme/$"))
    page.goto("/me/security/")
    expect(page.get_by_text("9 codes left")).to_be_visible()


def test_recovery_codes_are_copied_and_downloaded(office: Office) -> None:
    page = office.open("/me/security/app/", permissions=["clipboard-read", "clipboard-write"])
    secret = page.locator("#totp-secret").inner_text()
    page.get_by_label("Code from the app").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    codes = page.locator("#codes").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#status")).to_have_text("Recovery codes copied to clipboard.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .txt").click()
    assert download.value.suggested_filename == "keyadmin-recovery-codes.txt"
    assert download.value.path().read_text().split() == codes.split()


def test_a_passkey_is_added_and_signs_in_alone_and_after_a_password(office: Office) -> None:
    page = office.open("/", signed_in=False)
    with_passkeys(page)
    sign_in(page)
    page.goto("/me/security/passkeys/add/")
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    page.goto("/me/security/")
    expect(page.get_by_text("Work laptop").first).to_be_visible()

    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/o/acme/$"))
    sign_out(page)
    sign_in(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/o/acme/$"))
    page.goto("/me/confirm/passkey/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/o/acme/$"))

    page.goto("/me/security/")
    page.get_by_role("link", name="Rename Work laptop").click()
    page.get_by_label("Name").fill("Old laptop")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove Old laptop").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The passkey was removed.")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("The passkey could not be used.")).to_be_visible()


def test_a_browser_without_a_passkey_says_so(office: Office) -> None:
    page = office.open("/sign-in/", signed_in=False)
    with_passkeys(page)
    page.get_by_role("button", name="Use a passkey").click()

    expect(page.get_by_text("Your browser got no passkey.")).to_be_visible()


def test_at_an_address_made_of_numbers_the_way_to_a_passkey_is_shown(office: Office) -> None:
    office.server = office.server.replace("localhost", "127.0.0.1")
    page = office.open("/sign-in/", signed_in=False)

    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.get_by_role("link", name="http://localhost").click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()


def test_sign_out_elsewhere(office: Office) -> None:
    here, there = office.open("/", signed_in=False), office.open("/", signed_in=False, user_agent="Firefox/140 Android")
    for page in (here, there):
        sign_in(page)
        expect(page).to_have_url(re.compile("/o/acme/$"))
    here.goto("/me/security/")
    here.get_by_role("button", name="Sign out Firefox on Android").click()
    expect(here.get_by_text("The session was ended.")).to_be_visible()

    there.goto("/o/acme/")
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_forgotten_password_is_reset_by_the_link_in_the_kept_mail(office: Office) -> None:
    page = office.open("/sign-in/", signed_in=False)
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill("dev@example.org")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    wait_for_mail()

    admin = office.open("/instance/mail/")
    admin.get_by_role("link", name="Reset your password").click()
    link = admin.locator("pre a").get_attribute("href")
    assert link
    page.goto(link)
    page.get_by_label("New password").fill("twelve brown foxes")
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("link", name="Sign in", exact=True).click()
    sign_in(page, password="twelve brown foxes")
    expect(page).to_have_url(re.compile("/o/acme/$"))


def test_an_invitation_makes_an_account(office: Office) -> None:
    acme = office.world.acme
    groups = [queries.group_named(acme, "Developers")]
    _, token = invitations.invite(actor=OPERATOR, organization=acme, email="nia@example.org", groups=groups)
    page = office.open(f"/invitation/{token}/", signed_in=False)
    page.get_by_label("Your name").fill("Nia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()

    expect(page).to_have_url(re.compile("/o/acme/$"))


def test_a_password_is_shown_while_asked_for(office: Office) -> None:
    page = office.open("/sign-in/", signed_in=False)
    field, button = page.locator("#id_password"), page.get_by_role("button", name="Show password")
    field.fill("wrong")
    expect(field).to_have_attribute("type", "password")
    button.press("Enter")
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.get_by_label("E-mail address").press("Enter")
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#id_password")).to_have_attribute("type", "password")


def test_the_end_of_a_session_is_announced_and_put_off(office: Office, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 122
    page = office.open("/", signed_in=False)
    sign_in(page)
    warning = page.get_by_role("region", name="Your session")
    expect(warning).to_be_visible()
    expect(page.locator("#status")).to_have_text("Your session ends in less than two minutes.")
    assert findings(page) == []
    page.get_by_role("link", name="Create your first API key").click()
    expect(page.get_by_label("Name")).to_be_focused()
    settings.SESSION_COOKIE_AGE = 3600
    warning.get_by_role("button", name="Stay signed in").press("Enter")  # also over a modal
    expect(warning).to_be_hidden()


def test_who_comes_too_late_is_told_and_keeps_what_was_typed(office: Office, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 122
    page = office.open("/", signed_in=False)
    sign_in(page)
    warning = page.get_by_role("region", name="Your session")
    expect(warning).to_be_visible()
    Session.objects.all().delete()
    warning.get_by_role("button", name="Stay signed in").click()

    expect(warning).to_contain_text("Your session has ended.")
    expect(warning.get_by_role("link", name="Sign in")).to_be_visible()
    expect(warning.get_by_role("button")).to_be_hidden()


@pytest.mark.parametrize(("theme", "width"), DARK)
def test_every_page_is_accessible(office: Office, theme: str, width: int) -> None:
    page = office.open("/sign-in/", signed_in=False, theme=theme, width=width)
    with_passkeys(page)
    found: dict[str, list[str]] = {}

    def look(state: str, path: str = "", act: Callable[[], object] = lambda: None) -> None:
        if path:
            page.goto(path)
        act()
        page.wait_for_load_state()
        found[state] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[state].append("scrolls sideways")

    def press(name: str) -> Callable[[], object]:
        return lambda: page.get_by_role("button", name=name, exact=True).click()

    look("sign-in")
    look("errors", act=press("Sign in"))
    look("reset", "/sign-in/reset/")
    look("sent", "/sign-in/reset/sent/")
    look("done", "/sign-in/reset/done/")
    _, token = invitations.invite(actor=OPERATOR, organization=office.world.globex, email="dev@example.org")
    _, other = invitations.invite(actor=OPERATOR, organization=office.world.globex, email="nia@example.org")
    look("invited, account", f"/invitation/{token}/")
    look("invited, new", f"/invitation/{other}/")
    sign_in(page)
    look("invited, signed in", f"/invitation/{token}/")
    look("invited, another", f"/invitation/{other}/")
    look("profile", "/me/")
    look("security, nothing", "/me/security/")
    look("password", "/me/security/password/")
    look("password, errors", act=press("Change password"))
    look("app", "/me/security/app/")
    secret = page.locator("#totp-secret").inner_text()
    look("app, wrong", act=press("Turn on"))
    page.get_by_label("Code from the app").fill(code_of(secret))
    look("codes", act=press("Turn on"))
    look("codes again", "/me/security/codes/")
    look("new codes", "/me/security/codes/new/")
    look("passkey", "/me/security/passkeys/add/")
    page.get_by_label("Name").fill("x" * 60)
    with page.expect_navigation():  # the script sends the form once the authenticator has answered
        press("Add passkey")()
    look("security, all")
    page.goto("/me/security/")
    for act in ("Rename", "Remove"):
        page.goto("/me/security/")
        look(act, act=lambda act=act: page.get_by_role("link", name=f"{act} xxx").click())  # type: ignore[misc]
    look("remove app", "/me/security/app/remove/")
    for way in ("", "code/", "passkey/"):
        look(f"confirm {way}", f"/me/confirm/{way}")
    sign_out(page)
    sign_in(page)
    look("second factor")
    press("Cancel")()
    sign_in(page, "dana@example.org")
    member = f"/o/acme/settings/members/{office.world.developer.pk}/"
    look("somebody's sign-in", member)
    look("somebody's second factor", f"{member}second-factor/remove/")
    look("somebody's sessions", f"{member}sessions/end/")

    assert found == {state: [] for state in found}
