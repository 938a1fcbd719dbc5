"""Every URL of the portal, by the eyes of those it is for: no barrier that axe knows, nothing wider than a telephone,
nothing the browser complains of. A URL that is missing here fails the suite.

Each page is looked at as a telephone by day shows it, and as a desk by night.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Page, Route

from portal.models import Organization
from tests.conftest import PASSWORD

from ..accounts.test_second_factor import enrol
from . import steps
from .good import assert_good
from .world import World

TELEPHONE, TABLET, LARGE_DESK, DESK = (
    {"width": width, "height": height} for width, height in ((360, 740), (768, 1024), (1600, 900), (1280, 900))
)

# Answered with no page: what follows them is another of these pages, here after they were pressed.
NO_PAGE = {"attachment", "download", "complete", "mark_read", "mark_unread", "resend"}
NO_PAGE |= {"session", "stay", "password_advice", "end_session", "recovery_codes", "remove_second_factor"}
NO_PAGE |= {"colours", "brand_image", "healthz", "readyz", "metrics"}
# What was written when a session ended: made and looked at in test_accounts.py.
ELSEWHERE = {"kept_text"}


@dataclass(frozen=True)
class Look:
    """Who goes where, what they do there, and the heading that they are to see then; none in a message's frame."""

    person: str | None
    heading: str
    where: Callable[[World], str]
    do: Callable[[Page], None] | None = None


def at(name: str, *arguments: object) -> Callable[[World], str]:
    return lambda _world: reverse(name, args=arguments)


def folder(name: str) -> Callable[[World], str]:
    return lambda world: reverse(name) if world.everything else ""


def more_than_a_page(world: World) -> str:
    return reverse("inbox") if world.many else ""


def copy(name: str, kind: str, owner: str) -> Callable[[World], str]:
    """That person's copy of the message that the world knows by that name."""
    return lambda world: reverse(name, args=[world.copy(getattr(world, kind), getattr(world, owner))])


def where_passwords_are_told_by_telephone(world: World) -> str:
    organization = world.recipient.organization
    organization.reset_mode = Organization.Reset.BY_TELEPHONE
    organization.save()
    return reverse("reset_password", args=["north"])


def link(kind: str, owner: str) -> Callable[[World], str]:
    return lambda world: reverse(
        "log_in_to_message", args=["north", world.copy(getattr(world, kind), getattr(world, owner))]
    )


def for_each_recipient(name: str) -> Callable[[World], str]:
    return lambda world: reverse(
        name, args=[world.copy(world.message, world.sender), world.message.recipients.latest("id").id]
    )


def press(name: str, **fields: str) -> Callable[[Page], None]:
    def fill_and_press(page: Page) -> None:
        for field, text in fields.items():
            page.fill(f"main [name={field}]", text)
        page.locator("main").get_by_role("button", name=name, exact=True).first.click()
        page.wait_for_load_state()

    return fill_and_press


def tick_and_press(name: str) -> Callable[[Page], None]:
    def tick(page: Page) -> None:
        page.locator("[name=entry]").first.check()
        press(name)(page)

    return tick


def one_after_the_other(*parts: Callable[[Page], None]) -> Callable[[Page], None]:
    def do(page: Page) -> None:
        for part in parts:
            part(page)

    return do


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log Out").click()


def open_everything(page: Page) -> None:
    """Whatever is folded away."""
    page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")


def visit_with_temporary_password(page: Page) -> None:
    steps.log_in(page, "first@outside.example", PASSWORD)
    page.wait_for_url("**/password/")


def confirm_it_is_still_you(page: Page) -> None:
    page.get_by_label("Password", exact=True).or_(page.locator("[name=current_password]")).first.fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_load_state()


def log_in_with_a_second_factor(page: Page) -> None:
    steps.log_in(page, "first@outside.example", PASSWORD)
    page.wait_for_url("**/code/")


TO_LOG_IN = at("log_in", "north")
PAGES: dict[str, list[Look]] = {
    "home": [
        Look(None, "Use the link in your notification", at("home")),
        Look("recipient", "Use the link in your notification", at("home")),
    ],
    "log_in": [
        Look(None, "Your secure messages", TO_LOG_IN),
        Look(None, "Your secure messages", TO_LOG_IN, press("Next", address="somebody@outside.example")),
        Look(
            None,
            "Your secure messages",
            TO_LOG_IN,
            one_after_the_other(
                press("Next", address="somebody@outside.example"), press("Log In", password="not the right one")
            ),
        ),
        Look("stranger", "You are logged in to another portal", TO_LOG_IN),
    ],
    "log_in_to_message": [
        Look(None, "Your secure messages", link("message", "recipient")),
        Look("second_recipient", "This link belongs to somebody else", link("message", "recipient")),
    ],
    "set_password": [
        Look("temporary", "Set your password", TO_LOG_IN, visit_with_temporary_password),
        Look(
            "temporary",
            "Set your password",
            TO_LOG_IN,
            one_after_the_other(
                visit_with_temporary_password, press("Confirm", new_password="north", confirm_password="south")
            ),
        ),
    ],
    "reset_password": [
        Look(None, "Forgot your password?", at("reset_password", "north")),
        Look(None, "Forgot your password?", at("reset_password", "north"), press("Reset Password", address="nobody@")),
        Look(None, "Forgot your password?", where_passwords_are_told_by_telephone),
    ],
    "reset_sent": [
        Look(None, "A message was sent", at("reset_password", "north"), press("Reset Password", address="a@b.example"))
    ],
    "reset_link": [
        Look(None, "Set your password", lambda world: world.link_to_reset),
        Look(None, "This no longer works", at("reset_link", "north", "used")),
    ],
    "send_link": [Look(None, "Send me my link", at("send_link"))],
    "link_sent": [
        Look(None, "A message was sent", at("send_link"), press("Send me my link", address="first@outside.example"))
    ],
    "help_page": [Look(None, "Help", at("help_page", "north"))],
    "account": [Look("recipient", "Account", at("account")), Look("sender", "Account", at("account"))],
    "change_password": [Look("recipient", "Change password", at("change_password"))],
    "confirm": [Look("recipient", "Is it still you?", at("confirm"))],
    "second_factors": [Look("recipient", "Second factor", at("second_factors"))],
    "add_app": [Look("recipient", "Add an app", at("add_app"), confirm_it_is_still_you)],
    "add_passkey": [Look("recipient", "Add a passkey", at("add_passkey"), confirm_it_is_still_you)],
    "second_factor": [Look("enrolled", "One thing more", TO_LOG_IN, log_in_with_a_second_factor)],
    "signature": [Look("sender", "Signature", at("signature"))],
    "storage": [Look("sender", "Storage", at("storage"))],
    "log_out": [Look("recipient", "Your secure messages", at("inbox"), log_out)],
    "inbox": [
        Look("recipient", "Inbox", folder("inbox")),
        Look("recipient", "Inbox", folder("inbox"), lambda page: page.get_by_label("Select all").check()),
        Look("recipient", "Inbox", more_than_a_page, lambda page: page.get_by_role("link", name="Older").click()),
        Look("second_recipient", "Inbox", at("inbox")),
    ],
    "sent": [Look("sender", "Sent Items", folder("sent")), Look("recipient", "Sent Items", at("sent"))],
    "drafts": [Look("sender", "Drafts", folder("drafts")), Look("recipient", "Drafts", at("drafts"))],
    "deleted": [
        Look("recipient", "Deleted Items", folder("deleted")),
        Look("second_recipient", "Deleted Items", at("deleted")),
    ],
    "search": [
        Look("recipient", "Search", folder("search")),
        Look("recipient", "Search", folder("search"), press("Search", words="results")),
        Look("recipient", "Search", folder("search"), press("Search", words="nothing of the kind")),
        Look("recipient", "Search", folder("search"), press("Search", since="2020-01-02", until="2020-01-01")),
    ],
    "delete": [Look("recipient", "Inbox", folder("inbox"), tick_and_press("Delete"))],
    "restore": [Look("recipient", "Deleted Items", folder("deleted"), tick_and_press("Restore"))],
    "remove": [
        Look("recipient", "Delete 1 message for good?", folder("deleted"), tick_and_press("Delete")),
        Look(
            "recipient",
            "Deleted Items",
            folder("deleted"),
            one_after_the_other(tick_and_press("Delete"), press("Delete")),
        ),
    ],
    "discard": [
        Look("sender", "Discard 1 draft?", folder("drafts"), tick_and_press("Discard")),
        Look("sender", "Drafts", folder("drafts"), one_after_the_other(tick_and_press("Discard"), press("Discard"))),
    ],
    "compose": [
        Look("sender", "New message", at("compose"), open_everything),
        Look("recipient", "New message", at("compose")),
        Look("colleague", "This is not allowed", at("compose")),
        Look("sender", "Draft", at("compose"), press("Send Securely", to="nobody@, second")),
        Look("sender", "Draft", at("compose"), press("Send Securely", to="someone@never.example", subject="First")),
        Look("sender", "Draft", at("compose"), press("Save Draft", to="someone@never.example", subject="First")),
    ],
    "draft": [
        Look("sender", "Draft", lambda world: reverse("draft", args=[world.draft.id]), open_everything),
        Look("sender", "Discard 1 draft?", lambda world: reverse("draft", args=[world.draft.id]), press("Discard")),
    ],
    "undo_sending": [
        Look("hasty", "Sent Items", at("compose"), press("Send Securely", to="first@outside.example", subject="Oh")),
        Look(
            "hasty",
            "Draft",
            at("compose"),
            one_after_the_other(press("Send Securely", to="first@outside.example", subject="Oh"), press("Undo")),
        ),
    ],
    "message": [
        Look("recipient", "Your results", copy("message", "message", "recipient")),
        Look("recipient", "Re: Your results", copy("message", "answer", "recipient"), open_everything),
        Look("sender", "Your results", copy("message", "message", "sender"), open_everything),
        Look("sender", "Sent by mistake", copy("message", "recalled", "sender")),
        Look("sender", "Only for a day", copy("message", "expired", "sender")),
        Look("recipient", "This message was recalled", copy("message", "recalled", "recipient")),
        Look("recipient", "This message has expired", copy("message", "expired", "recipient")),
        Look("recipient", "Read and done with", copy("message", "deleted", "recipient")),
        Look("recipient", "There is nothing here", copy("message", "message", "sender")),
    ],
    "arrive": [
        Look("recipient", "Your results", copy("arrive", "message", "recipient")),
        Look("second_recipient", "This link belongs to somebody else", copy("arrive", "message", "recipient")),
    ],
    "body": [
        Look("recipient", "", copy("body", "message", "recipient")),
        Look("sender", "", copy("body", "answer", "sender")),
        Look("recipient", "", copy("body", "recalled", "recipient")),
    ],
    "print_sheet": [Look("recipient", "Your results", copy("print_sheet", "message", "recipient"))],
    "reply": [Look("recipient", "Reply", copy("reply", "message", "recipient"))],
    "reply_all": [Look("recipient", "Reply All", copy("reply_all", "message", "recipient"))],
    "forward": [Look("sender", "Forward", copy("forward", "message", "sender"))],
    "recall": [
        Look("sender", "Recall Message", copy("recall", "message", "sender")),
        Look("sender", "Your results", copy("recall", "message", "sender"), press("Recall")),
    ],
    "recall_recipient": [Look("sender", "Recall Message", for_each_recipient("recall_recipient"))],
    "send_to_another": [
        Look(
            "sender",
            "Send to another address",
            copy("message", "message", "sender"),
            one_after_the_other(open_everything, press("Send Securely", address="someone@0utside.example")),
        ),
        Look(
            "sender",
            "Your results",
            copy("message", "message", "sender"),
            one_after_the_other(open_everything, press("Send Securely", address="someone@localhost")),
        ),
    ],
    "expire": [
        Look("sender", "Expire Now", copy("expire", "message", "sender")),
    ],
    "extend": [
        Look("sender", "Extend Expiry", copy("extend", "message", "sender")),
        Look("sender", "Extend Expiry", copy("extend", "expired", "sender")),
        Look("sender", "Extend Expiry", copy("extend", "message", "sender"), press("Extend", until="2001-01-01T12:00")),
    ],
}


def names(resolver: URLResolver) -> set[str]:
    """Of every URL but the administration console's, which test_console.py walks."""
    found: set[str] = set()
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            found.add(str(pattern.name))
        elif pattern.namespace != "admin":
            found |= names(pattern)
    return found


def test_no_url_is_missing():
    assert set(PAGES) | NO_PAGE | ELSEWHERE == names(get_resolver())


@pytest.fixture
def world(sender, recipient, second_recipient, colleague, stranger) -> World:
    return World(sender, recipient, second_recipient)


@pytest.fixture
def visitor(request, world, open_browser, complaints) -> Callable[..., Page]:
    """visitor(person, **context): that person's window; None: nobody's."""

    def open_window(person: str | None, **options) -> Page:
        user = None
        if person == "temporary":
            world.recipient.temporary_until = timezone.now() + timedelta(hours=24)
            world.recipient.save()
        elif person == "enrolled":
            enrol(world.recipient)
        elif person == "hasty":
            user = world.sender
            user.organization.undo_seconds = 60
            user.organization.save()
        elif person is not None:
            user = request.getfixturevalue(person)
        return steps.watch(open_browser(user, **options), complaints)

    return open_window


def arrive(look: Look, page: Page, world: World, complaints: list[str]) -> None:
    page.goto(look.where(world))
    if look.do:
        look.do(page)
    if look.heading:
        page.get_by_role("heading", level=1, name=look.heading, exact=True).wait_for()
    expect_no(complaints)
    if "/body/" in page.url or "/print/" in page.url:
        let_axe_in(page)


def expect_no(complaints: list[str]) -> None:
    """But that Chromium reports a page of 404, 410 or 422 as an error. What does not load, steps.watch notes."""
    complaints[:] = [line for line in complaints if "the server responded with a status of" not in line]
    assert complaints == []


def let_axe_in(page: Page) -> None:
    """Nothing runs beside a letter, axe no more than a script of the letter's. Once more, without that policy."""

    def without_policy(route: Route) -> None:
        answer = route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
        route.fulfill(response=answer, headers=headers)

    page.route(page.url, without_policy)
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    page.reload()


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_good_by_day_and_by_night(name, world, visitor, complaints):
    for look in PAGES[name]:
        page = visitor(look.person, viewport=TELEPHONE, color_scheme="light", reduced_motion="reduce")
        arrive(look, page, world, complaints)
        assert_good(page, is_whole_page=bool(look.heading))
        for size in (TABLET, LARGE_DESK, DESK):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.emulate_media(color_scheme="dark")
        assert_good(page, is_whole_page=bool(look.heading))
        assert steps.what_the_browser_kept(page) == []
        expect_no(complaints)
        page.context.close()


@pytest.mark.parametrize("name", ["log_in", "set_password", "inbox", "compose", "draft", "message", "reply"])
def test_pages_are_good_without_script(name, world, visitor, complaints):
    for look in PAGES[name]:
        if look.do not in (None, open_everything):
            continue
        page = visitor(look.person, viewport=TELEPHONE)
        # Ours alone: axe is a script, too.
        page.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        arrive(look, page, world, complaints)
        assert_good(page)
        expect_no(complaints)
        page.context.close()
