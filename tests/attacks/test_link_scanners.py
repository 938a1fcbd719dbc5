"""Machines that open links before people do: mail gateways, previews, prefetching browsers. Fifty rounds of each, and
one that runs scripts and submits every form it finds; then the person's own way still works."""

import re
from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client

from accounts import credentials, mail_requests
from accounts.models import Credential, LogInAttempt, PortalSession, User
from messaging import drafts, sending
from messaging.models import MailboxEntry, Recipient
from portal import delivery, moments, outbox
from portal.ids import uuid7
from portal.models import Organization
from tests.amounts import amount
from tests.browser.conftest import complaints, open_browser  # noqa: F401  fixtures

ROUNDS = 50
NEW = "seven quiet lanterns over water"
AGENTS = [
    {"User-Agent": "Mozilla/5.0 (compatible; MailScanner/1.0)"},
    {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"},
    {"X-Moz": "prefetch"},
    {"User-Agent": "facebookexternalhit/1.1"},
]


@pytest.fixture
def links(recipient, newcomer_by_link, sender, smtp) -> dict[str, str]:
    """Every link the portal mails, by its kind, as a path."""
    text = drafts.DraftText(to=recipient.address, subject="Results", body="<p>x</p>")
    entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
    sending.send_draft(actor=sender, entry=entry)
    with transaction.atomic():
        outbox.enqueue(credentials.first_visit_mails([newcomer_by_link], due_at=moments.now()))
    Client().post("/p/north/reset/", {"address": recipient.address})
    mail_requests.answer_waiting()
    delivery.deliver_due()
    return {message["Subject"].partition(": ")[2]: _link_in(message) for message in smtp.messages}


def _link_in(message) -> str:
    text = message.get_body(("plain",)).get_content()
    paths = re.findall(r"http://127\.0\.0\.1:8000(/\S+)", text)
    return max(paths, key=len)  # the others are the log-in page


@pytest.fixture
def newcomer_by_link(organization, make_user) -> User:
    Organization.objects.update(first_visit_mode="link")
    organization.refresh_from_db()
    return make_user(organization, "newcomer@outside.example", password=None)


def assert_nothing_happened() -> None:
    assert not Credential.objects.filter(used_at__isnull=False).exists()
    assert not Credential.objects.filter(withdrawn_at__isnull=False).exists()
    assert not PortalSession.objects.filter(session_data__isnull=False).exclude(user=None).exists()
    assert not User.objects.filter(first_logged_in_at__isnull=False).exists()
    assert not MailboxEntry.objects.filter(kind="received", read_at__isnull=False).exists()
    assert not Recipient.objects.filter(read_at__isnull=False).exists()


def follow(client: Client, method: str, path: str, headers: dict[str, str]) -> None:
    """As a machine does: redirects and all."""
    response = getattr(client, method)(path, headers=headers)
    hops = 0
    while response.status_code in (301, 302) and hops < 10:
        hops += 1
        response = getattr(client, method)(response.url, headers=headers)
    assert response.status_code in (200, 404)


def test_getting_and_prefetching_changes_nothing(links):
    assert len(links) == 3
    for round_number in range(amount(ROUNDS)):
        for path in links.values():
            client = Client()  # each machine with a jar of its own, filled by the redirect
            follow(client, "get", path, AGENTS[round_number % len(AGENTS)])
            follow(client, "head", path, AGENTS[round_number % len(AGENTS)])
    assert_nothing_happened()
    the_persons_own_way(links)


def test_posting_what_the_pages_hold_changes_nothing(links):
    """Every form with its fields as they are, and with the password fields filled with one thing or another."""
    for round_number in range(amount(ROUNDS)):
        for path in links.values():
            client = Client()
            response = client.get(path, follow=True)
            html = response.content.decode()
            fields = dict(re.findall(r'<input type="(?:hidden|email)" name="([^"]+)" value="([^"]*)"', html))
            guess = ["", "x", "password", "Test1234!", "1234567890123456"][round_number % 5]
            for name in re.findall(r'<input type="password" name="([^"]+)"', html):
                fields[name] = guess
            client.post(response.request["PATH_INFO"], fields)
    assert_nothing_happened()
    the_persons_own_way(links)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_browser_that_runs_scripts_and_submits_every_form(links, open_browser):  # noqa: F811
    for round_number in range(ROUNDS):
        page = open_browser()
        path = list(links.values())[round_number % len(links)]
        page.goto(path)
        for index in range(page.locator("form").count()):
            with page.expect_navigation():
                page.locator("form").nth(index).evaluate("(form) => HTMLFormElement.prototype.submit.call(form)")
            page.goto(path)
        page.context.close()
    assert_nothing_happened()
    the_persons_own_way(links)


def the_persons_own_way(links: dict[str, str]) -> None:
    """Each of the two who got a link follows it and chooses a password; the notification opens its message."""
    LogInAttempt.objects.all().delete()
    log_in_as: dict[str, Callable[[], Client]] = {}
    for subject in ("Secure Messaging Password Notification", "Set a new password"):
        client = Client()
        assert client.get(links[subject]).url == "/p/north/password/"
        response = client.post("/p/north/password/", {"new_password": NEW, "confirm_password": NEW})
        assert response.url == "/inbox/"
        log_in_as[subject] = lambda client=client: client
    client = log_in_as["Set a new password"]()
    response = client.get(links["Secure Messaging Notification"], follow=True)
    assert response.status_code == 200 and "Results" in response.content.decode()
    assert Credential.objects.filter(used_at__isnull=False).count() == 2
