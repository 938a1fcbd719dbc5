"""Whoever is refused must see the same, whatever the reason: byte for byte, save the CSRF token and the reference."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import credentials
from accounts.models import Credential, LogInAttempt, User
from portal import moments
from tests.conftest import PASSWORD

ADDRESS = "first@outside.example"


def an_unknown_address(make):
    return "wrong"


def an_account_with_a_wrong_password(make):
    make()
    return "wrong"


def a_disabled_account_with_the_right_password(make):
    make(disabled_at=moments.now())
    return PASSWORD


def an_account_without_logon_with_the_right_password(make):
    make(allow_logon=False)
    return PASSWORD


def an_account_without_a_password(make):
    make(password=None)
    return "wrong"


def an_administrators_password_that_has_run_out(make):
    make(temporary_until=moments.now() - timedelta(seconds=1))
    return PASSWORD


def a_locked_account_with_the_right_password(make):
    make(failures=100)
    return PASSWORD


def a_delayed_account_with_the_right_password(make):
    make(failures=7, next_try_at=moments.now() + timedelta(hours=1))
    return PASSWORD


def a_temporary_password_that_has_run_out(make):
    user = make(password=None)
    [mail] = credentials.first_visit_mails([user], due_at=moments.now())
    Credential.objects.update(expires_at=moments.now())
    return credentials.temporary_password(mail.about)


def a_person_of_the_other_organisation(make):
    make(elsewhere=True)
    return PASSWORD


CASES = {
    an_unknown_address: "unknown",
    an_account_with_a_wrong_password: "wrong",
    a_disabled_account_with_the_right_password: "disabled",
    an_account_without_logon_with_the_right_password: "not_allowed",
    an_account_without_a_password: "no_password",
    an_administrators_password_that_has_run_out: "credential_expired",
    a_locked_account_with_the_right_password: "locked",
    a_delayed_account_with_the_right_password: "delayed",
    a_temporary_password_that_has_run_out: "credential_expired",
    a_person_of_the_other_organisation: "unknown",
}


@pytest.fixture
def make(make_user, organization, other_organization):
    def make_here(*, elsewhere: bool = False, **fields) -> User:
        return make_user(other_organization if elsewhere else organization, ADDRESS, **fields)

    return make_here


def seen(response) -> tuple:
    """Everything the visitor gets, without what is random in every answer."""
    text = response.content.decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", text)
    for reference in re.findall(r'class="reference">([A-Z]{8})<', text):
        text = text.replace(reference, "")
    cookies = {
        name: {key: cookie[key] for key in cookie if key != "expires"} for name, cookie in response.cookies.items()
    }
    return response.status_code, dict(response.headers), cookies, text


def answers(password: str) -> list[tuple]:
    """Both steps in a fresh browser."""
    client = Client()
    return [
        seen(client.get("/p/north/")),
        seen(client.post("/p/north/", {"address": ADDRESS})),
        seen(client.post("/p/north/", {"address": ADDRESS, "password": password})),
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_refusal_looks_the_same(make, case):
    expected = answers("wrong")
    LogInAttempt.objects.all().delete()
    password = case(make)
    assert answers(password) == expected
    assert LogInAttempt.objects.get().cause == CASES[case]


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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_refusal_costs_one_hash_and_the_same_statements(make, case, hashed):
    form = {"address": ADDRESS, "password": "wrong"}
    Client().post("/p/north/", form)  # makes the keys that are made when first needed
    with CaptureQueriesContext(connection) as expected:
        Client().post("/p/north/", form)
    form["password"] = case(make)
    hashed.clear()
    with CaptureQueriesContext(connection) as queries:
        Client().post("/p/north/", form)
    assert len(hashed) == 1
    assert statements(queries) == statements(expected)


def statements(queries: CaptureQueriesContext) -> list[str]:
    """Each statement without its values: what it does to which table."""
    found = [re.search(r"(FROM|INTO|UPDATE) \"(\w+)\"", query["sql"]) for query in queries]
    return [f"{match[1]} {match[2]}" if match else "other" for match in found]
