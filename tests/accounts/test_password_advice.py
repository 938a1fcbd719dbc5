"""Advice in words beside a new password: as one types by a script's question, and after submit."""

import ast
import inspect
import random
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from zxcvbn import feedback

from accounts import password_advice
from accounts.models import PortalSession
from portal import moments
from portal.models import LimitUse
from tests.conftest import PASSWORD

URL = "/p/north/password/advice/"


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", ""),
        ("password1234567", "Easy to guess. Many people use a password much like this one. Add another word or two;"),
        ("aaaaaaaaaaaaaaaa", "Very easy to guess. Repeats such as “aaa” are easy to guess."),
        ("qwertyuiop", "Very easy to guess. This is one of the passwords that are tried first."),
        ("seven green bottles on a wall", "Very hard to guess."),
        ("ß" * 2000, "Very easy to guess."),
        ("\x00\u2028\U0001f600", ""),
    ],
)
def test_in_words(recipient, password, words):
    assert password_advice.advice(recipient, password).startswith(words)


@pytest.mark.parametrize("refused", ["Kx9#mQ2vLp0", "NorthClinic-first-1"])
def test_what_the_criteria_refuse_is_not_praised(recipient, refused):
    assert password_advice.advice(recipient, refused) == ""


def test_every_sentence_of_the_library_has_ours():
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(feedback))) if isinstance(node, ast.Call)]
    theirs = {
        ast.literal_eval(call.args[0]) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_"
    }
    assert theirs and theirs == set(password_advice.WORDS)


def test_what_it_is_shown_is_short(monkeypatch, recipient):
    """Its work grows with more than the square of the length."""
    shown = []
    judge = password_advice.zxcvbn
    monkeypatch.setattr(password_advice, "zxcvbn", lambda text: shown.append(text) or judge(text))
    letters = random.Random(1)
    password_advice.advice(recipient, "".join(letters.choice("4@8({[<6931!|70$5+%") for _letter in range(5000)))
    assert [len(text) for text in shown] == [24]


@pytest.mark.parametrize(("password", "fine"), [("passwordpassword", False), ("seven quiet lanterns over water", True)])
def test_the_script_is_told_what_only_the_server_knows(log_in, recipient, password, fine):
    answer = log_in(recipient).post(URL, {"new_password": password})
    assert answer.json() == {"not_common": fine, "advice": password_advice.advice(recipient, password)}


def test_before_the_first_password_of_ones_own(try_log_in, newcomer, temporary_password):
    client = Client()
    try_log_in(client, newcomer.address, temporary_password(newcomer))
    assert client.post(URL, {"new_password": ""}).json() == {"not_common": None, "advice": ""}
    assert client.post(URL, {"new_password": "x" * 5000}).json()["not_common"] is False


def test_nobody_else_is_given_the_servers_time(client, organization, log_in, stranger):
    assert client.post(URL, {"new_password": "x"}).status_code == 404
    assert log_in(stranger).post(URL, {"new_password": "x"}).status_code == 404


def test_sixty_questions_a_minute(log_in, recipient):
    client = log_in(recipient)
    client.post(URL)
    LimitUse.objects.update(used=59)
    assert client.post(URL).status_code == 200
    answer = client.post(URL)
    assert (answer.status_code, answer.json()) == (429, {}) and int(answer.headers["Retry-After"]) > 0
    LimitUse.objects.update(began_at=F("began_at") - timedelta(minutes=1))
    assert client.post(URL).status_code == 200


def test_asking_is_no_activity_and_leaves_no_trace(log_in, recipient, caplog):
    client = log_in(recipient)
    ago = moments.now() - timedelta(minutes=30)
    PortalSession.objects.update(last_seen_at=ago)
    client.post(URL, {"new_password": "a canary among words"})
    assert PortalSession.objects.get().last_seen_at == ago
    assert "canary" not in caplog.text


def test_after_submit_it_stands_on_the_page(log_in, recipient):
    client = log_in(recipient)
    form = {"current_password": PASSWORD, "new_password": "aaaaaaaaaaaaaaaa", "confirm_password": "aaaaaaaaaaaaaaaa"}
    page = client.post("/account/password/", form).content.decode()
    assert "Very easy to guess. Repeats such as “aaa” are easy to guess." in page
    assert "easy to guess." not in client.get("/account/password/").content.decode()
