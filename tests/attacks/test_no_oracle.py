"""Whoever is refused must see the same, whatever the reason: byte for byte, save the CSRF token and the reference."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import credentials, mail_requests
from accounts.models import Credential, LogInAttempt, MailRequest, User
from portal import moments
from tests.accounts.test_second_factor import enrol
from tests.conftest import PASSWORD

ADDRESS = "first@outside.example"


# Each makes the account that is in some state, or none, and gives the password to try it with.


def unknown(make):
    return "wrong"


def active(make):
    make()
    return "wrong"


def temporary(make):
    """A first visit is waiting; something else is typed."""
    credentials.first_visit_mails([make(password=None)], due_at=moments.now())
    return "wrong"


def temporary_run_out(make):
    [mail] = credentials.first_visit_mails([make(password=None)], due_at=moments.now())
    Credential.objects.update(expires_at=moments.now())
    return credentials.temporary_password(mail.about)


def told_by_telephone(make):
    make(temporary_until=moments.now() + timedelta(hours=1))
    return "wrong"


def told_by_telephone_run_out(make):
    make(temporary_until=moments.now() - timedelta(seconds=1))
    return PASSWORD


def never_set(make):
    make(password=None)
    return "wrong"


def expired(make):
    make(change_ordered_at=moments.now())
    return "wrong"


def delayed(make):
    make(failures=7, next_try_at=moments.now() + timedelta(hours=1))
    return PASSWORD


def locked(make):
    make(failures=100)
    return PASSWORD


def disabled(make):
    make(disabled_at=moments.now())
    return PASSWORD


def logon_not_allowed(make):
    make(allow_logon=False)
    return PASSWORD


def with_a_second_factor(make):
    enrol(make())
    return "wrong"


def administrator(make):
    make(is_staff=True)
    return "wrong"


def in_the_other_organisation(make):
    make(elsewhere=True)
    return PASSWORD


# State → what the administrator finds under the reference code.
STATES = {
    unknown: "unknown",
    active: "wrong",
    temporary: "no_password",
    temporary_run_out: "credential_expired",
    told_by_telephone: "wrong",
    told_by_telephone_run_out: "credential_expired",
    never_set: "no_password",
    expired: "wrong",
    delayed: "delayed",
    locked: "locked",
    disabled: "disabled",
    logon_not_allowed: "not_allowed",
    with_a_second_factor: "wrong",
    administrator: "wrong",
    in_the_other_organisation: "unknown",
}
every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)


@pytest.fixture
def make(make_user, organization, other_organization):
    def make_here(*, elsewhere: bool = False, **fields) -> User:
        return make_user(other_organization if elsewhere else organization, ADDRESS, **fields)

    return make_here


def seen(response, reference: str = "") -> tuple:
    """Everything the visitor gets, without what differs between any two answers: the token, the reference code, the
    request's id, and the time on the help page."""
    text = response.content.decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "", text)
    for code in [reference, *re.findall(r'class="reference">([A-Z]{8})<', text)]:
        text = text.replace(code, "") if code else text
    cookies = {
        name: {key: cookie[key] for key in cookie if key != "expires"} for name, cookie in response.cookies.items()
    }
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    return response.status_code, headers, cookies, text


def log_in(password: str) -> list[tuple]:
    """Both steps in a fresh browser, and the help that is offered below the refusal."""
    client = Client()
    refused = client.post("/p/north/", {"address": ADDRESS, "password": password})
    [reference] = re.findall(r'class="reference">([A-Z]{8})<', refused.content.decode())
    helped = client.post("/p/north/help/", {"address": ADDRESS, "reference": reference})
    return [
        seen(Client().get("/p/north/")),
        seen(Client().post("/p/north/", {"address": ADDRESS})),
        seen(refused),
        seen(helped, reference),
    ]


def reset(_password: str) -> list[tuple]:
    return _asked("/p/north/reset/")


def send_link(_password: str) -> list[tuple]:
    return _asked("/send-link/")


def _asked(url: str) -> list[tuple]:
    """Twice in one minute, of which the second brings no mail."""
    answers = []
    for _time in range(2):
        client = Client()
        response = client.post(url, {"address": ADDRESS})
        answers += [seen(response), seen(client.get(response.url))]
        mail_requests.answer_waiting()
    return answers


@every_state
@pytest.mark.parametrize("form", [log_in, reset, send_link], ids=lambda form: form.__name__)
def test_every_answer_is_the_same_byte_for_byte(make, state, form):
    form("wrong")  # makes the keys that are made when first needed
    expected = form("wrong")
    forget()
    password = state(make)
    assert form(password) == expected
    if form is log_in:
        assert LogInAttempt.objects.get().cause == STATES[state]


def forget() -> None:
    """Or a hundred tries in one minute would be refused for their number."""
    LogInAttempt.objects.all().delete()
    MailRequest.objects.all().delete()


@pytest.mark.parametrize("url", ["/p/north/reset/", "/send-link/"])
def test_asking_for_a_mail_looks_nobody_up(make, url):
    """So it costs the same: what differs is done by the worker, later."""
    make()
    Client().post(url, {"address": ADDRESS})
    statements_by_address = []
    for address in (ADDRESS, "nobody@outside.example"):
        with CaptureQueriesContext(connection) as queries:
            Client().post(url, {"address": address})
        assert not any("accounts_user" in query["sql"] for query in queries)
        statements_by_address.append(statements(queries))
    assert statements_by_address[0] == statements_by_address[1]


def test_the_first_step_knows_nobody(make, client):
    make()
    with CaptureQueriesContext(connection) as queries:
        client.post("/p/north/", {"address": ADDRESS})
    assert not any("accounts_user" in query["sql"] for query in queries)


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Which of the hasher's two costly functions was called, each time."""
    calls: list[str] = []
    hasher = type(hashers.get_hasher())
    encode = hasher.encode

    def counted(self, *args, **kwargs):
        calls.append("encode")
        return encode(self, *args, **kwargs)

    # The test hasher's verify is one encode as well.
    monkeypatch.setattr(hasher, "encode", counted)
    return calls


@every_state
def test_every_refusal_costs_one_hash_and_the_same_statements(make, state, hashed):
    form = {"address": ADDRESS, "password": "wrong"}
    Client().post("/p/north/", form)  # makes the keys that are made when first needed
    with CaptureQueriesContext(connection) as expected:
        Client().post("/p/north/", form)
    form["password"] = state(make)
    hashed.clear()
    with CaptureQueriesContext(connection) as queries:
        Client().post("/p/north/", form)
    assert len(hashed) == 1
    assert statements(queries) == statements(expected)


def statements(queries: CaptureQueriesContext) -> list[str]:
    """Each statement without its values: what it does to which table."""
    found = [re.search(r"(FROM|INTO|UPDATE) \"(\w+)\"", query["sql"]) for query in queries]
    return [f"{match[1]} {match[2]}" if match else "other" for match in found]
