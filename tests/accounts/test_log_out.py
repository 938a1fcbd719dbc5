import pytest
from django.test import Client

from accounts.models import PortalSession
from portal.models import AuditEvent
from tests.conftest import PASSWORD


def test_it_ends_the_session(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    cookie = client.cookies["session"].value
    response = client.post("/log-out/")
    assert (response.status_code, response.url) == (302, "/p/north/")
    assert not PortalSession.objects.exists()
    replay = Client()
    replay.cookies["session"] = cookie
    assert replay.get("/inbox/").status_code == 302
    assert AuditEvent.objects.filter(action="session.ended", actor_id=recipient.pk).exists()


def test_the_browser_forgets_what_it_kept_but_not_that_it_is_known(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    assert client.get("/inbox/").headers["Cache-Control"] == "no-store"
    response = client.post("/log-out/")
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert response.cookies["session"].value == ""
    assert "browser" not in response.cookies


def test_it_rejects_get(log_in, recipient):
    client = log_in(recipient)
    assert client.get("/log-out/").status_code == 405
    assert client.get("/inbox/").status_code == 200


def test_other_sites_cannot_log_anybody_out(recipient):
    client = Client(enforce_csrf_checks=True)
    client.force_login(recipient)
    assert client.post("/log-out/").status_code == 403
    assert client.get("/inbox/").status_code == 200


def test_twice_is_not_an_error(client, organization):
    assert client.post("/log-out/").url == "/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example"])
def test_it_leads_nowhere_else(log_in, recipient, target):
    assert log_in(recipient).post("/log-out/", {"next": target}).url == "/p/north/"
