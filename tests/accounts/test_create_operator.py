from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.management.commands import create_operator
from accounts.models import Credential, User
from portal.models import AuditEvent, Organization

ADDRESS = "root@north.example"
CHOSEN = "seven quiet lanterns over water"


@pytest.fixture
def typed(monkeypatch):
    """typed(first, second): what is typed at the two prompts of a terminal."""

    def type_in(*answers: str) -> None:
        remaining = list(answers)
        monkeypatch.setattr(create_operator.getpass, "getpass", lambda prompt: remaining.pop(0))

    return type_in


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_operator", *arguments, stdout=out)
    return out.getvalue()


def test_it_asks_for_the_password(client, organization, typed, try_log_in):
    typed(CHOSEN, CHOSEN)
    said = run("--organization", "north", "Root@North.example")
    assert "http://127.0.0.1:8000/p/north/" in said and CHOSEN not in said
    operator = User.objects.get(address=ADDRESS)
    assert operator.is_superuser and operator.is_staff and operator.is_internal
    assert try_log_in(client, ADDRESS, CHOSEN).url == "/inbox/"
    assert client.get("/admin/").status_code == 200
    assert AuditEvent.objects.filter(action="operator.created", about=operator.pk).exists()


def test_it_prints_a_temporary_one(client, organization, try_log_in):
    said = run("--organization", "north", "--temporary", ADDRESS)
    password = said.rpartition(": ")[2].strip()
    assert try_log_in(client, ADDRESS, password).url == "/p/north/password/"


def test_it_makes_the_first_organisation(db, client, try_log_in):
    run("--organization", "first", "--new", "First Organisation", "--temporary", "root@first.example")
    organization = Organization.objects.get(slug="first")
    assert organization.name == "First Organisation"
    assert organization.domains.get().is_internal


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--organization", "nowhere", ADDRESS], "no organisation"),
        (["--organization", "north", "--new", "North", ADDRESS], "already"),
        (["--organization", "No Where!", "--new", "No", ADDRESS], "lower-case"),
        (["--organization", "north", "root"], "not an email address"),
    ],
)
def test_it_says_what_is_wrong(organization, arguments, why):
    with pytest.raises(CommandError, match=why):
        run(*arguments, "--temporary")
    assert not User.objects.exists() and Organization.objects.count() == 1


def test_it_refuses_an_address_that_is_there(sender, typed):
    with pytest.raises(CommandError, match="already"):
        run("--organization", "north", "--temporary", sender.address)
    sender.refresh_from_db()
    assert not sender.is_superuser and not Credential.objects.exists()


@pytest.mark.parametrize(("answers", "why"), [((CHOSEN, "another"), "not the same"), (("short", "short"), "15 char")])
def test_it_makes_nothing_of_a_bad_password(organization, typed, answers, why):
    typed(*answers)
    with pytest.raises(CommandError, match=why):
        run("--organization", "north", ADDRESS)
    assert not User.objects.exists()
