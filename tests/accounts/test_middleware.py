"""Behind the log-in by default, and where an anonymous visitor is sent."""

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.models import PortalSession
from portal import moments
from tests.conftest import PASSWORD

PUBLIC = {
    "brand_image",
    "colours",
    "healthz",
    "help_page",
    "home",
    "link_sent",
    "log_in",
    "log_in_to_message",
    "log_out",
    "metrics",
    "password_advice",
    "readyz",
    "reset_link",
    "reset_password",
    "reset_sent",
    "second_factor",
    "send_link",
    "session",
    "set_password",
}


def test_every_page_is_behind_the_log_in_unless_it_is_listed_here():
    views = {
        pattern.name: getattr(pattern.callback, "login_required", True)
        for part in get_resolver().url_patterns
        for pattern in getattr(part, "url_patterns", [part])
        if getattr(part, "namespace", None) != "admin"
    }
    assert {name for name, required in views.items() if not required} == PUBLIC


def test_a_visitor_nobody_knows_is_sent_home(client, organization):
    assert client.get("/inbox/").url == "/"


def test_a_browser_that_was_here_before_is_sent_to_its_organisation(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    assert client.get("/sent/?before=1").url == "/p/north/?next=%2Fsent%2F%3Fbefore%3D1"


def test_whose_session_has_run_out_is_sent_to_their_organisation(log_in, recipient):
    client = log_in(recipient)
    PortalSession.objects.update(expire_date=moments.now())
    assert client.get("/inbox/").url == "/p/north/?next=%2Finbox%2F"


def test_a_form_is_not_repeated_after_logging_in(log_in, recipient):
    client = log_in(recipient)
    PortalSession.objects.update(expire_date=moments.now())
    assert client.post("/messages/delete/").url == "/p/north/"


@pytest.mark.parametrize("slug", ["../evil", "a b", "", "x" * 5000, "\x00"])
def test_an_odd_cookie_leads_home_or_to_a_page_that_is_not_there(organization, slug):
    client = Client()
    client.cookies["organization"] = slug
    response = client.get("/inbox/")
    assert response.status_code == 302
    assert response.url.startswith("/")
