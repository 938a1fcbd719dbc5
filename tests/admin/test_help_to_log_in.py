"""What an administrator does for somebody who cannot get in: each by a button, audited, and told to the user."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import second_factor
from accounts.models import Credential, SecondFactor, User
from portal import delivery
from portal.models import OutgoingMail

from .conftest import just_confirmed, page

NEW = "seven quiet lanterns over water"


@pytest.fixture
def press(north):
    """press(verb, user): the button on that user's page."""
    return lambda verb, user: north.client.post(reverse(f"admin:accounts_user_{verb}", args=[user.pk]))


def test_the_buttons_are_on_the_page(north, recipient):
    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    assert html.count('<form id="verb" method="post">') == 1
    for verb, words in (
        ("issue_password", "Issue Temporary Password"),
        ("send_reset", "Send Reset"),
        ("order_change", "Force Change at Next Logon"),
    ):
        where = reverse(f"admin:accounts_user_{verb}", args=[recipient.pk])
        assert f'form="verb" formaction="{where}" class="verb">{words}' in html


def test_a_temporary_password_is_shown_once(press, north, recipient, events, administrator, client):
    html = press("issue_password", recipient).content.decode()
    [shown] = re.findall(r'class="reference">([0-9A-Z-]{19})<', html)
    assert shown not in north.client.get(page(User, "change", recipient.pk)).content.decode()
    mail = OutgoingMail.objects.get(to_address=recipient.address)
    assert (mail.kind, mail.to_address) == ("password_issued", recipient.address)
    assert events(recipient) == [(administrator.address, "credential.issued")]
    response = client.post("/p/north/", {"address": recipient.address, "password": shown})
    assert response.url == "/p/north/password/"


def test_the_mail_about_it_does_not_carry_it(press, recipient, smtp):
    html = press("issue_password", recipient).content.decode()
    [shown] = re.findall(r'class="reference">([0-9A-Z-]{19})<', html)
    delivery.deliver_due()
    message = next(mail for mail in smtp.messages if mail.rcpt == [recipient.address])
    assert message["Subject"] == "North Clinic: A temporary password was issued for you"
    assert shown not in message.as_string()


def test_a_reset_is_sent(press, recipient, events, administrator, smtp):
    assert press("send_reset", recipient).status_code == 302
    assert events(recipient) == [(administrator.address, "reset.sent_by_administrator")]
    delivery.deliver_due()
    assert "North Clinic: Set a new password" in [mail["Subject"] for mail in smtp.messages]
    assert Credential.objects.get().purpose == "reset"


def test_a_change_is_forced_at_the_next_logon(press, north, recipient, events, administrator):
    press("order_change", recipient)
    recipient.refresh_from_db()
    assert recipient.change_ordered_at is not None
    assert events(recipient) == [(administrator.address, "password.change_ordered")]
    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    assert "by an administrator’s order" in html and "Force Change at Next Logon" not in html


def test_a_lost_second_factor_is_removed_after_a_day(press, north, recipient, smtp):
    second_factor.add_passkey(recipient, name="x", keep=None, credential_id=b"1", public_key=b"2")
    assert "Lost: Remove in 24 Hours" in north.client.get(page(User, "change", recipient.pk)).content.decode()
    press("remove_second_factor", recipient)
    assert SecondFactor.objects.get().removal_due_at is not None
    assert "Will be removed" in north.client.get(page(User, "change", recipient.pk)).content.decode()
    press("keep_second_factor", recipient)
    assert SecondFactor.objects.get().removal_due_at is None


def test_a_locked_second_factor_is_shown_and_opened(press, north, recipient):
    second_factor.add_passkey(recipient, name="x", keep=None, credential_id=b"1", public_key=b"2")
    SecondFactor.objects.update(failures=100)
    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    assert "Locked after 100 wrong ones" in html
    press("clear_lock", recipient)
    assert SecondFactor.objects.get().failures == 0
    assert "Locked after" not in north.client.get(page(User, "change", recipient.pk)).content.decode()


@pytest.mark.parametrize(
    "verb", ["issue_password", "send_reset", "order_change", "remove_second_factor", "keep_second_factor"]
)
def test_nobody_of_another_organisation_and_nobody_by_get(press, north, stranger, recipient, verb):
    assert press(verb, stranger).status_code == 404
    assert north.client.get(reverse(f"admin:accounts_user_{verb}", args=[recipient.pk])).status_code == 405
    assert not Credential.objects.exists() and not OutgoingMail.objects.filter(to_address=recipient.address).exists()


@pytest.mark.parametrize("verb", ["issue_password", "remove_second_factor"])
def test_an_open_console_alone_gives_nobody_a_way_in(press, north, recipient, verb, events):
    just_confirmed(north.client, timedelta(minutes=5))
    assert press(verb, recipient).url.startswith("/account/confirm/?next=%2Fadmin%2F")
    assert events(recipient) == []


def test_nor_sets_anybodys_password(north, recipient):
    just_confirmed(north.client, timedelta(minutes=5))
    url = page(User, "change", recipient.pk)
    form = {"name": "New name", "allow_logon": "on", "new_password": NEW, "confirm_password": NEW}
    html = north.client.post(url, form).content.decode()
    assert 'href="/account/confirm/" target="_blank"' in html and 'value="New name"' in html
    just_confirmed(north.client)
    assert north.client.post(url, form).status_code == 302
    recipient.refresh_from_db()
    assert recipient.check_password(NEW)
