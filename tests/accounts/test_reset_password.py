"""Forgot your password? → a mail with a temporary password and a link → a new password."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from accounts import credentials, mail_requests
from accounts.models import Credential, LogInAttempt, MailRequest, PortalSession, User
from portal import delivery, moments, outbox
from portal.models import AuditEvent, Organization, OutgoingMail
from tests.attacks.test_no_oracle import seen
from tests.conftest import PASSWORD

RESET, SENT, FORM = "/p/north/reset/", "/p/north/reset/sent/", "/p/north/password/"
NEW = "seven quiet lanterns over water"


def ask(client: Client, address: str, url: str = RESET):
    return client.post(url, {"address": address})


def ask_and_answer(client: Client, address: str) -> MailRequest:
    ask(client, address)
    mail_requests.answer_waiting()
    return MailRequest.objects.latest("id")


def choose(client: Client, password: str = NEW):
    return client.post(FORM, {"new_password": password, "confirm_password": password})


@pytest.fixture
def mailed(client, recipient, smtp) -> tuple[str, str]:
    """The temporary password and the link's path that arrived."""
    ask_and_answer(client, recipient.address)
    delivery.deliver_due()
    [message] = smtp.messages
    text = plain_text_of(message)
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/p/north/reset/\S+)", text)
    [password] = re.findall(r"^    (\S+)$", text, re.M)
    return password, link


def plain_text_of(message) -> str:
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def age_requests(by: timedelta) -> None:
    for request in MailRequest.objects.all():
        MailRequest.objects.filter(pk=request.pk).update(at=request.at - by)


# --- The pages ------------------------------------------------------------------------------------------------


def test_the_way_from_the_log_in_page_and_back(client, recipient):
    page = client.post("/p/north/", {"address": recipient.address}).content.decode()
    assert f'<a href="{RESET}">Forgot your password?</a>' in page
    page = client.get(RESET).content.decode()
    assert "Email Address" in page and "Reset Password</button>" in page
    response = ask(client, recipient.address)
    assert (response.status_code, response.url) == (302, SENT)
    page = client.get(SENT).content.decode()
    assert "A message was sent" in page
    assert re.search(r'href="/p/north/">Go To Log In<', page)


def test_no_address_is_said(client, organization):
    assert "Type the email address" in ask(client, "").content.decode()
    assert "is not an email address" in ask(client, "nobody").content.decode()
    assert not MailRequest.objects.exists()


def test_the_page_belongs_to_an_organisation(client, organization):
    assert client.get("/p/nowhere/reset/").status_code == 404
    assert client.get("/p/nowhere/reset/sent/").status_code == 404


@pytest.mark.parametrize("which", ["active", "unknown", "disabled", "not_allowed", "locked", "never_set", "elsewhere"])
def test_the_answer_is_the_same_for_everyone(make_user, organization, other_organization, which):
    address = "somebody@outside.example"
    fields = {
        "disabled": {"disabled_at": moments.now()},
        "not_allowed": {"allow_logon": False},
        "locked": {"failures": 100},
        "never_set": {"password": None},
    }
    expected = [seen(answer) for answer in (ask(Client(), address), Client().get(SENT))]
    if which != "unknown":
        make_user(other_organization if which == "elsewhere" else organization, address, **fields.get(which, {}))
    assert [seen(answer) for answer in (ask(Client(), address), Client().get(SENT))] == expected


def test_asking_looks_nobody_up(client, recipient, django_assert_num_queries):
    ask(client, recipient.address)
    with django_assert_num_queries(4) as queries:  # the organisation, the time, the request, how many there were
        ask(client, recipient.address)
    assert not any("accounts_user" in query["sql"] for query in queries.captured_queries)


# --- What is mailed -------------------------------------------------------------------------------------------


def test_the_mail_brings_both_and_no_other_row_or_log_does(mailed, recipient, smtp):
    password, link = mailed
    [message] = smtp.messages
    assert message.rcpt == [recipient.address]
    assert message["Subject"] == "North Clinic: Set a new password"
    html = message.get_body(("html",)).get_content()
    assert password in html and link in html
    assert "the one you have goes on working" in html and "If it was not you" in html
    token = link.rstrip("/").rpartition("/")[2]
    rows = [*OutgoingMail.objects.values(), *AuditEvent.objects.values(), *Credential.objects.values()]
    assert password not in str(rows) and token not in str(rows)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"disabled_at": moments.truncated}, "not_allowed"),
        ({"allow_logon": False}, "not_allowed"),
        ({"failures": 100}, "sent"),
        ({"password": None}, "sent"),
    ],
)
def test_who_gets_one(client, organization, make_user, fields, outcome):
    if "disabled_at" in fields:
        fields = {"disabled_at": moments.now()}
    make_user(organization, "somebody@outside.example", **fields)
    assert ask_and_answer(client, "somebody@outside.example").outcome == outcome
    assert OutgoingMail.objects.count() == (outcome == "sent")
    assert AuditEvent.objects.get(action="reset.requested").details == {"outcome": outcome}


def test_nobody_gets_none(client, organization, stranger):
    assert ask_and_answer(client, stranger.address).outcome == "unknown"
    assert not OutgoingMail.objects.exists()


def test_where_first_passwords_are_told_by_telephone_a_newcomer_gets_none(client, newcomer, recipient):
    Organization.objects.update(first_visit_mode="by_telephone")
    assert ask_and_answer(client, newcomer.address).outcome == "by_telephone"
    assert ask_and_answer(client, recipient.address).outcome == "sent"


def test_by_telephone_the_page_says_whom_to_call_whoever_asks(client, recipient):
    Organization.objects.update(reset_mode="by_telephone", support_contact="020 7946 0000")
    answers = [client.get(RESET), ask(client, recipient.address), ask(client, "nobody@outside.example")]
    for answer in answers:
        assert answer.status_code == 200
        assert "North Clinic helps: 020 7946 0000" in answer.content.decode()
        assert "<form" not in answer.content.decode()
        assert seen(answer) == seen(answers[0])
    assert not MailRequest.objects.exists()


def test_a_request_of_before_brings_no_mail_by_telephone(client, recipient):
    ask(client, recipient.address)
    Organization.objects.update(reset_mode="by_telephone")
    mail_requests.answer_waiting()
    assert MailRequest.objects.get().outcome == "by_telephone"
    assert not OutgoingMail.objects.exists()
    assert not Credential.objects.exists()


def test_it_lasts_an_hour(client, recipient):
    ask_and_answer(client, recipient.address)
    credential = Credential.objects.get()
    assert credential.purpose == "reset"
    assert abs(credential.expires_at - moments.now() - timedelta(minutes=60)) < timedelta(seconds=20)
    assert OutgoingMail.objects.get().not_after == credential.expires_at


def test_whoever_asks_twice_may_use_either_mail(client, recipient):
    ask_and_answer(client, recipient.address)
    age_requests(timedelta(minutes=2))
    ask_and_answer(client, recipient.address)
    assert Credential.objects.count() == 1 and OutgoingMail.objects.count() == 2
    Credential.objects.update(expires_at=moments.now() + timedelta(minutes=29))
    age_requests(timedelta(minutes=2))
    ask_and_answer(client, recipient.address)
    assert Credential.objects.filter(withdrawn_at__isnull=True).count() == 1
    assert Credential.objects.count() == 2


def test_a_stranger_who_asks_takes_no_first_visit_away(client, newcomer, temporary_password):
    first = temporary_password(newcomer)
    ask_and_answer(client, newcomer.address)
    credential = Credential.objects.get()
    assert credential.withdrawn_at is None and credentials.matches(credential, first)


# --- Limits ---------------------------------------------------------------------------------------------------


def test_one_mail_a_minute(client, recipient):
    assert ask_and_answer(client, recipient.address).outcome == "sent"
    assert ask_and_answer(client, recipient.address).outcome == "too_many"
    age_requests(timedelta(seconds=61))
    assert ask_and_answer(client, recipient.address).outcome == "sent"


def test_five_an_hour(client, recipient):
    for _ in range(5):
        assert ask_and_answer(client, recipient.address).outcome == "sent"
        age_requests(timedelta(minutes=2))
    assert ask_and_answer(client, recipient.address).outcome == "too_many"
    age_requests(timedelta(minutes=51))
    assert ask_and_answer(client, recipient.address).outcome == "sent"


@pytest.mark.django_db(transaction=True)
def test_many_in_one_moment_bring_one_mail(recipient, in_parallel):
    for _ in range(10):
        ask(Client(), recipient.address)
    in_parallel([mail_requests.answer_waiting] * 4)
    assert OutgoingMail.objects.count() == 1
    assert MailRequest.objects.filter(outcome="waiting").count() == 0


def test_thirty_a_minute_from_one_network(client, organization):
    for number in range(30):
        assert ask(client, f"n{number}@outside.example").status_code == 302
    response = ask(client, "n31@outside.example")
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    assert "Too many attempts from your network" in response.content.decode()
    assert MailRequest.objects.count() == 30


def test_a_request_that_fails_stops_no_other(client, recipient, second_recipient, monkeypatch):
    send = mail_requests.send_reset

    def failing(user: User, *, dedupe: str) -> None:
        if user == recipient:
            raise RuntimeError
        send(user, dedupe=dedupe)

    monkeypatch.setattr(mail_requests, "send_reset", failing)
    ask(client, recipient.address)
    ask(client, second_recipient.address)
    assert mail_requests.answer_waiting() == 2
    assert list(MailRequest.objects.order_by("id").values_list("outcome", flat=True)) == ["failed", "sent"]


# --- Two presentations of one credential ------------------------------------------------------------------------


def test_the_link_leads_to_the_form_and_leaves_the_address(client, mailed, recipient):
    _password, link = mailed
    response = client.get(link)
    assert (response.status_code, response.url) == (302, FORM)
    cookie = response.cookies["credential"]
    assert cookie["path"] == "/p/north/" and cookie["httponly"] and cookie["max-age"] == 1800
    assert link.rstrip("/").rpartition("/")[2] not in cookie.value
    assert client.get(FORM).status_code == 200
    response = choose(client)
    assert (response.status_code, response.url) == (302, "/inbox/")
    assert response.cookies["credential"].value == ""
    assert client.get("/inbox/").status_code == 200
    recipient.refresh_from_db()
    assert recipient.check_password(NEW)


def test_the_temporary_password_leads_there_too(client, mailed, recipient, try_log_in):
    password, _link = mailed
    assert try_log_in(client, recipient.address, password).url == FORM
    assert choose(client).url == "/inbox/"


@pytest.mark.parametrize("first", ["link", "password"])
def test_using_either_ends_both(mailed, recipient, try_log_in, first):
    password, link = mailed
    client = Client()
    if first == "link":
        client.get(link)
    else:
        try_log_in(client, recipient.address, password)
    choose(client)
    again = Client()
    assert again.get(link).url == FORM
    response = again.get(FORM)
    assert response.status_code == 410 and "This no longer works" in response.content.decode()
    assert 'href="/p/north/reset/">Ask for a new mail' in response.content.decode()
    assert try_log_in(again, recipient.address, password).status_code == 200


@pytest.mark.parametrize(("left", "status"), [(timedelta(seconds=2), 200), (-timedelta(milliseconds=1), 410)])
def test_its_time_ends(client, mailed, left, status):
    other = Client()
    for browser in (client, other):
        browser.get(mailed[1])
    Credential.objects.update(expires_at=moments.now() + left)
    assert other.get(FORM).status_code == status
    assert choose(client).status_code == (302 if status == 200 else 410)


@pytest.mark.parametrize("token", ["x", "AAAA", "a" * 43, "%00", "é" * 20, "-" * 43])
def test_an_invented_link_is_no_link(client, organization, token):
    assert client.get(f"{RESET}{token}/").status_code == 410


def test_a_link_of_one_organisation_opens_nothing_at_another(client, mailed, other_organization):
    token = mailed[1].rstrip("/").rpartition("/")[2]
    assert client.get(f"/p/south/reset/{token}/").status_code == 410
    client.get(mailed[1])
    client.cookies["credential"]["path"] = "/"
    assert client.get("/p/south/password/").url == "/p/south/"


def test_an_invented_cookie_opens_nothing(client, mailed):
    credential = Credential.objects.get()
    for value in [str(credential.pk), f"{credential.pk}:1:1", "", "x"]:
        client.cookies["credential"] = value
        assert client.get(FORM).url == "/p/north/"


# --- Nothing ends before the new password is set ------------------------------------------------------------------


def test_the_current_password_works_until_then(client, mailed, recipient, try_log_in, log_in):
    inside = log_in(recipient)
    client.get(mailed[1])
    client.get(FORM)
    choose(client, "short")
    assert inside.get("/inbox/").status_code == 200
    assert try_log_in(Client(), recipient.address, PASSWORD).url == "/inbox/"
    choose(client)
    assert inside.get("/inbox/").status_code == 302
    assert try_log_in(Client(), recipient.address, PASSWORD).status_code == 200
    assert LogInAttempt.objects.latest("id").cause == "wrong"


def test_a_log_in_in_between_ends_no_reset(client, mailed, recipient, try_log_in):
    try_log_in(Client(), recipient.address, PASSWORD)
    client.get(mailed[1])
    assert choose(client).status_code == 302


def test_a_locked_account_is_open_again_afterwards(client, mailed, recipient):
    User.objects.filter(pk=recipient.pk).update(failures=100)
    client.get(mailed[1])
    choose(client)
    recipient.refresh_from_db()
    assert recipient.failures == 0


def test_opening_the_link_writes_nothing(client, mailed, recipient, django_assert_num_queries):
    for method in (client.get, client.head, client.get):
        assert method(mailed[1]).status_code == 302
    with django_assert_num_queries(8) as queries:
        client.get(FORM)
    assert not any(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in queries.captured_queries)
    assert not PortalSession.objects.exists()
    assert Credential.objects.get().used_at is None


def test_the_first_visit_is_a_link_where_the_organisation_chose_so(client, newcomer, smtp):
    Organization.objects.update(first_visit_mode="link")
    with transaction.atomic():
        outbox.enqueue(credentials.first_visit_mails([newcomer], due_at=moments.now()))
    delivery.deliver_due()
    [message] = smtp.messages
    text = plain_text_of(message)
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/p/north/reset/\S+)", text)
    assert credentials.temporary_password(Credential.objects.get().pk) not in text
    client.get(link)
    assert choose(client).url == "/inbox/"
