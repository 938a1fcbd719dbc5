from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from accounts import credentials, passwords
from accounts.models import Credential, LogInAttempt, PortalSession, User
from portal import moments
from portal.models import AuditEvent, OutgoingMail
from tests.conftest import PASSWORD

NEW = "seven quiet lanterns over water"
URL = "/p/north/password/"


@pytest.fixture
def pending(newcomer, temporary_password, try_log_in):
    """A browser whose visitor has given the temporary password of a first visit."""
    client = Client()
    response = try_log_in(client, newcomer.address, temporary_password(newcomer))
    assert response.url == URL
    return client


def choose(client: Client, password: str = NEW, again: str | None = None):
    return client.post(URL, {"new_password": password, "confirm_password": password if again is None else again})


def met(response) -> dict[str, bool | None]:
    return {criterion.code: criterion.met for criterion in response.context["criteria"]}


def test_it_shows_the_criteria_before_anything_is_typed(pending, newcomer):
    response = pending.get(URL)
    assert response.status_code == 200
    assert met(response) == dict.fromkeys(["length", "not_common", "not_personal", "equal"])
    text = response.content.decode()
    for label in ("New Password", "Confirm Password", "Confirm</button>", newcomer.address):
        assert label in text
    assert text.count('autocomplete="new-password"') == 2


def test_it_leads_straight_into_the_portal(pending, newcomer):
    response = choose(pending)
    assert (response.status_code, response.url) == (302, "/inbox/")
    assert pending.get("/inbox/").status_code == 200
    newcomer.refresh_from_db()
    assert newcomer.check_password(NEW)
    assert newcomer.has_own_password and newcomer.first_logged_in_at is not None
    assert Credential.objects.get().used_at is not None


def test_it_leads_to_the_message_of_the_link(newcomer, temporary_password, try_log_in, client):
    entry = "01890000-0000-7000-8000-000000000001"
    try_log_in(client, newcomer.address, temporary_password(newcomer), url=f"/p/north/m/{entry}/")
    assert choose(client).url == f"/messages/{entry}/arrive/"


@pytest.mark.parametrize("typed", [str.lower, lambda text: text.replace("-", " "), lambda text: text.replace("0", "o")])
def test_the_temporary_password_may_be_typed_as_it_was_read_aloud(
    client, newcomer, temporary_password, try_log_in, typed
):
    assert try_log_in(client, newcomer.address, typed(temporary_password(newcomer))).url == URL


@pytest.mark.parametrize("url", ["/inbox/", "/sent/", "/compose/", "/admin/"])
def test_a_temporary_password_opens_nothing_else(pending, url):
    response = pending.get(url)
    assert (response.status_code, response.url) == (302, URL)


def test_nobody_is_logged_in_by_a_temporary_password(pending, newcomer):
    assert "_auth_user_id" not in pending.session
    newcomer.refresh_from_db()
    assert newcomer.first_logged_in_at is None
    assert LogInAttempt.objects.get().cause == "temporary"


def test_it_may_be_tried_again_while_it_lasts(newcomer, temporary_password, try_log_in):
    password = temporary_password(newcomer)
    for _ in range(3):
        client = Client()
        assert try_log_in(client, newcomer.address, password).url == URL
    assert choose(client).status_code == 302


def test_it_is_used_up_by_setting_the_new_one(pending, newcomer, try_log_in, client):
    typed = credentials.temporary_password(Credential.objects.get().pk)
    choose(pending)
    assert try_log_in(client, newcomer.address, typed).status_code == 200
    assert try_log_in(client, newcomer.address, NEW).status_code == 302


@pytest.mark.parametrize(
    ("password", "again", "unmet"),
    [
        ("short", None, {"length", "not_common"}),
        ("a quiet lantern", "a quiet lanterm", {"equal"}),
        ("passwordpassword", None, {"not_common"}),
        ("newcomer outside", None, {"not_personal"}),
        ("North Clinic 2026!", None, {"not_personal"}),
        ("", "", None),
    ],
)
def test_what_is_missing_is_marked_after_submit(pending, newcomer, password, again, unmet):
    response = choose(pending, password, again)
    assert response.status_code == 200
    marks = met(response)
    if unmet is None:
        assert set(marks.values()) == {None}
    else:
        assert {code for code, mark in marks.items() if mark is False} == unmet
    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()
    assert Credential.objects.get().used_at is None


def test_the_words_of_a_refused_password_are_not_given_back(pending):
    assert b"passwordpassword" not in choose(pending, "passwordpassword").content


@pytest.mark.parametrize(("length", "accepted"), [(14, False), (15, True), (1024, True), (1025, False)])
def test_the_length_has_two_ends(pending, length, accepted):
    text = ("seven quiet lanterns over dark water, " * 30)[:length].rstrip().ljust(length, "~")
    response = choose(pending, text)
    assert (response.status_code == 302) is accepted
    if length > 1024:
        assert "at most 1024 characters" in response.content.decode()


def test_the_temporary_password_cannot_be_the_new_one(pending, newcomer):
    typed = credentials.temporary_password(Credential.objects.get().pk).lower()
    response = choose(pending, typed)
    assert "That is the temporary password" in response.content.decode()
    assert Credential.objects.get().used_at is None


@pytest.mark.parametrize(("left", "works"), [(timedelta(seconds=2), True), (-timedelta(milliseconds=1), False)])
def test_the_time_of_a_temporary_password_ends(pending, newcomer, left, works):
    Credential.objects.update(expires_at=moments.now() + left)
    response = choose(pending)
    assert response.status_code == (302 if works else 410)
    if not works:
        assert "no longer works" in response.content.decode()
        assert pending.get(URL).status_code == 302


def test_a_replaced_temporary_password_no_longer_works(pending, newcomer, administrator):
    credentials.issue(actor=administrator, user=newcomer)
    assert choose(pending).status_code == 410


def test_a_person_switched_off_meanwhile_gets_no_further(pending, newcomer):
    User.objects.filter(pk=newcomer.pk).update(allow_logon=False)
    assert choose(pending).url == "/p/north/"
    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()


def test_the_page_is_nothing_without_a_temporary_password(client, newcomer, log_in, recipient):
    assert client.get(URL).url == "/p/north/"
    assert choose(client).url == "/p/north/"
    assert log_in(recipient).get(URL).url == "/p/north/"


def test_the_page_belongs_to_one_organisation(pending, other_organization):
    assert pending.get("/p/south/password/").url == "/p/south/"


def test_a_posted_address_changes_nothing(pending, newcomer, recipient):
    pending.post(URL, {"address": recipient.address, "new_password": NEW, "confirm_password": NEW})
    recipient.refresh_from_db()
    assert recipient.check_password(PASSWORD)


def test_every_other_session_ends_and_the_key_changes(pending, newcomer, try_log_in):
    elsewhere = Client()
    try_log_in(elsewhere, newcomer.address, credentials.temporary_password(Credential.objects.get().pk))
    before = pending.cookies["session"].value
    choose(pending)
    assert pending.cookies["session"].value != before
    assert elsewhere.get(URL).url == "/p/north/"
    assert PortalSession.objects.count() == 1


def test_it_is_told_by_mail_and_in_the_audit_log(pending, newcomer):
    choose(pending)
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to_address) == ("password_changed", newcomer.address)
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"log_in.temporary_accepted", "password.set", "log_in.succeeded"} <= actions
    assert NEW not in str(list(AuditEvent.objects.values()))


def test_an_administrators_password_opens_only_this_page(client, recipient, administrator, try_log_in):
    passwords.set_temporary_password(actor=administrator, user=recipient, password="told on the telephone")
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 200
    assert try_log_in(client, recipient.address, "told on the telephone").url == URL
    assert "That is the temporary password" in choose(client, "told on the telephone").content.decode()
    assert choose(client).status_code == 302
    recipient.refresh_from_db()
    assert recipient.temporary_until is None and recipient.has_own_password


@pytest.mark.parametrize(("left", "works"), [(timedelta(seconds=2), True), (-timedelta(milliseconds=1), False)])
def test_an_administrators_password_ends_too(client, recipient, administrator, try_log_in, left, works):
    passwords.set_temporary_password(actor=administrator, user=recipient, password="told on the telephone")
    try_log_in(client, recipient.address, "told on the telephone")
    User.objects.filter(pk=recipient.pk).update(temporary_until=moments.now() + left)
    assert choose(client).status_code == (302 if works else 410)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_administrator", [False, True])
def test_of_many_at_once_one_succeeds(
    newcomer, administrator, temporary_password, try_log_in, in_parallel, by_administrator
):
    if by_administrator:
        typed = "told on the telephone"
        passwords.set_temporary_password(actor=administrator, user=newcomer, password=typed)
    else:
        typed = temporary_password(newcomer)
    clients = [Client() for _ in range(6)]
    for client in clients:
        assert try_log_in(client, newcomer.address, typed).url == URL
    # Whoever comes later is told that it is gone, or finds their session ended by the winner.
    in_parallel(partial(choose, client) for client in clients)
    assert AuditEvent.objects.filter(action="password.set").count() == 1
    assert sum(client.get("/inbox/").status_code == 200 for client in clients) == 1
