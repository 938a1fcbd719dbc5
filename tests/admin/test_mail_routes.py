"""Console, Account, Mail routes."""

from datetime import timedelta

import pytest
from django.urls import reverse

from portal import moments, routes
from portal.models import AuditEvent, MailHold, MailRoute

from .conftest import page

RELAY = {
    "domain": "New.Example",
    "way": "relay",
    "tls": "enforced",
    "host": "relay.new.example",
    "port": "587",
    "user_name": "portal",
    "password": "swordfish",
}


def errors(response) -> str:
    assert response.status_code == 200
    return str(response.context["adminform"].errors)


def test_a_relay_with_a_log_in(north):
    assert north.client.post(page(MailRoute, "add"), RELAY).status_code == 302
    route = MailRoute.objects.get(domain="new.example")
    assert route.organization == north.organization
    assert routes.open_password(route) == "swordfish"
    shown = north.client.get(page(MailRoute, "change", route.pk)).content.decode()
    assert "swordfish" not in shown
    assert "relay.new.example" in shown


def test_changing_without_a_password_keeps_it_and_the_audit_log_holds_none(north):
    north.client.post(page(MailRoute, "add"), RELAY)
    route = MailRoute.objects.get(domain="new.example")
    url = page(MailRoute, "change", route.pk)
    north.client.post(url, RELAY | {"password": "", "host": "other.new.example"})
    route.refresh_from_db()
    assert (route.host, routes.open_password(route)) == ("other.new.example", "swordfish")
    north.client.post(url, RELAY | {"password": "a new one"})
    route.refresh_from_db()
    assert routes.open_password(route) == "a new one"
    events = AuditEvent.objects.filter(about=route.pk)
    assert [event.action for event in events.order_by("id")] == [
        "mailroute.created",
        "mailroute.changed",
        "mailroute.changed",
    ]
    assert "swordfish" not in str([event.details for event in events])


def test_straight_to_mx_keeps_nothing_of_a_relay(north):
    north.client.post(page(MailRoute, "add"), RELAY)
    route = MailRoute.objects.get(domain="new.example")
    north.client.post(page(MailRoute, "change", route.pk), RELAY | {"way": "mx", "password": ""})
    route.refresh_from_db()
    assert (route.way, route.host, route.user_name, route.sealed_password) == ("mx", "", "", None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"domain": "not a domain"}, "Not a domain"),
        ({"host": ""}, "Name the relay"),
        ({"host": "a_b"}, "Not a domain"),
        ({"port": "6379"}, "only the operator"),
        ({"tls": "opportunistic"}, "the password would be seen"),
        ({"tls": "opportunistic", "user_name": "", "tls_from_start": "on"}, "is enforced TLS"),
        ({"domain": "partner.north.example"}, "There is a route for this domain already."),
    ],
)
def test_what_cannot_be_is_said(north, wrong, words):
    assert words in errors(north.client.post(page(MailRoute, "add"), RELAY | wrong))
    assert MailRoute.objects.filter(organization=north.organization).count() == 1


def test_the_operator_may_choose_any_port(north, operator, log_in):
    form = RELAY | {"organization": north.organization.pk, "port": "6025"}
    assert log_in(operator).post(page(MailRoute, "add"), form).status_code == 302


def test_a_basic_administrator_only_looks(north, administrator):
    from accounts import roles

    roles.give_role(actor=administrator, user=administrator, role=roles.Role.BASIC)
    assert north.client.get(page(MailRoute, "changelist")).status_code == 200
    assert north.client.get(page(MailRoute, "add")).status_code == 403


def test_the_first_page_tells_that_mail_waits_and_why(north, south):
    now = moments.now()
    for organization, name in ((north.organization, "partner.example"), (None, "relay"), (south.organization, "other")):
        MailHold.objects.create(
            key=name,
            organization=organization,
            name=name,
            since=now,
            until=now + timedelta(minutes=1),
            words=f"{name} offers no STARTTLS",
        )
    shown = north.client.get(reverse("admin:index")).content.decode()
    assert "partner.example offers no STARTTLS" in shown
    assert "relay offers no STARTTLS" in shown
    assert "other offers" not in shown
