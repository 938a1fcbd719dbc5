"""The pages that say that something went wrong."""

import errno
import logging
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.test import RequestFactory

from portal import views
from portal.ids import uuid7
from portal.keyring import MasterKeysMissing


def reference_in(response) -> str:
    found = re.search(r'class="reference">(\w{8})<', response.content.decode())
    assert found
    return found[1]


def test_not_found(client, db, caplog):
    page = client.get("/nothing/here/")

    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()
    assert f"Reference {reference_in(page)}: 404 for GET /nothing/here/" in caplog.text


def test_not_found_keeps_the_way_back_for_whoever_is_inside(log_in, recipient):
    page = log_in(recipient).get("/messages/00000000-0000-7000-8000-000000000000/")

    assert page.status_code == 404
    assert "Go to your Inbox" in page.content.decode()
    assert recipient.organization.name in page.content.decode()


def test_a_wrong_host_is_told_no_more_than_that(client, db):
    page = client.get("/", headers={"host": "evil.example"})

    assert page.status_code == 400
    assert "evil.example" not in page.content.decode()
    assert reference_in(page)


def test_forbidden_says_why_where_somebody_said_why(log_in, colleague):
    """A colleague without a licence may answer and no more."""
    page = log_in(colleague).get("/compose/")

    assert page.status_code == 403
    assert "not write new ones" in page.content.decode()


def test_forbidden_without_a_reason(db):
    request = RequestFactory().get("/somewhere/")

    page = views.permission_denied(request, PermissionDenied())

    assert page.status_code == 403
    assert "The message or your account does not permit it." in page.content.decode()


def test_our_own_failure_needs_no_database(caplog):
    """Without the `db` fixture any query would fail the test."""
    page = views.server_error(RequestFactory().get("/inbox/"))

    assert page.status_code == 500
    assert "Something went wrong on our side" in page.content.decode()
    assert f"Reference {reference_in(page)}: 500 for GET /inbox/" in caplog.text


@pytest.mark.parametrize(
    "error",
    [OperationalError("gone"), InterfaceError("closed"), MasterKeysMissing("gone"), OSError(errno.ENOSPC, "full")],
)
def test_what_is_away_will_be_back(error, caplog):
    try:
        raise error
    except Exception:
        page = views.server_error(RequestFactory().get("/inbox/"))

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "30"
    assert "Not possible just now" in page.content.decode()
    assert f"Reference {reference_in(page)}: 503 for GET /inbox/" in caplog.text


def test_a_mistake_of_our_own_is_not_called_something_that_is_away():
    try:
        raise FileNotFoundError(errno.ENOENT, "no such file")
    except OSError:
        page = views.server_error(RequestFactory().get("/inbox/"))

    assert page.status_code == 500
    assert "Retry-After" not in page.headers


def test_without_master_keys_every_page_that_needs_them_waits(log_in, recipient, settings):
    """Closed, not in the clear, and nobody is told that anything is broken."""
    browser = log_in(recipient)
    browser.raise_request_exception = False
    settings.MASTER_KEYS_FILE = "/nowhere/master.keys"
    draft = browser.post(f"/drafts/{uuid7()}/", {"subject": "Subject", "body": "Words", "action": "save"})

    assert draft.status_code == 503
    assert "Not possible just now" in draft.content.decode()


def test_our_own_failure_is_said_even_when_the_page_fails_too(settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    settings.STATIC_ROOT = "/nowhere"
    settings.TEMPLATES = [*settings.TEMPLATES]  # read anew: those in use know their files' addresses

    page = views.server_error(RequestFactory().get("/inbox/"))

    assert page.status_code == 500
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Something went wrong on our side" in page.content.decode()


def test_each_time_another_reference(client, db):
    assert reference_in(client.get("/a/")) != reference_in(client.get("/a/"))


@pytest.mark.parametrize("path", ["/%0d%0aReference", "/a%0ab"])
def test_a_path_cannot_forge_a_line_in_the_log(client, db, caplog, path):
    caplog.set_level(logging.WARNING)

    client.get(path)

    assert all("\n" not in record.getMessage() for record in caplog.records if record.name == "portal.views")
