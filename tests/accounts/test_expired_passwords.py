"""A password that has to be set anew: said only after the right one was given."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts import expired_passwords, mail_requests, passwords
from accounts.models import LogInAttempt, OldPassword, User
from portal import delivery, moments
from portal.models import AuditEvent, Organization, OutgoingMail
from tests.conftest import PASSWORD


def ordered(user: User) -> None:
    User.objects.filter(pk=user.pk).update(change_ordered_at=moments.now())


def too_old(user: User) -> None:
    Organization.objects.update(password_age_days=90)
    User.objects.filter(pk=user.pk).update(password_set_at=moments.now() - timedelta(days=90))


def dormant(user: User) -> None:
    User.objects.filter(pk=user.pk).update(last_login=moments.now() - timedelta(days=365, seconds=1))


def easily_guessed(user: User) -> None:
    user.set_password("ilovemyfamily2026")
    user.save()


CASES = {
    ordered: "An administrator has asked you",
    too_old: "It was set too long ago.",
    dormant: "You have not logged in for more than a year.",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_it_is_told_after_the_right_password_only(client, recipient, try_log_in, case):
    before = try_log_in(Client(), recipient.address, "wrong").content.decode()
    User.objects.update(password_set_at=moments.now() - timedelta(days=500))
    case(recipient)
    page = try_log_in(client, recipient.address, PASSWORD)
    assert page.status_code == 200
    assert "Your password has expired" in page.content.decode() and CASES[case] in page.content.decode()
    assert LogInAttempt.objects.latest("id").cause == "expired"
    assert client.get("/inbox/").status_code == 302
    wrong = try_log_in(Client(), recipient.address, "wrong").content.decode()
    assert "Invalid username" in wrong and len(wrong) == len(before)


def test_one_that_is_found_on_the_block_list(client, recipient, try_log_in):
    easily_guessed(recipient)
    page = try_log_in(client, recipient.address, "ilovemyfamily2026").content.decode()
    assert "It is on a list of passwords that are easily guessed." in page


@pytest.mark.django_db
def test_on_confirming_a_mail_leads_to_a_new_one(client, recipient, try_log_in, smtp):
    ordered(recipient)
    page = try_log_in(client, recipient.address, PASSWORD).content.decode()
    assert 'action="/p/north/reset/"' in page and f'name="address" value="{recipient.address}"' in page
    assert client.post("/p/north/reset/", {"address": recipient.address}).url == "/p/north/reset/sent/"
    mail_requests.answer_waiting()
    delivery.deliver_due()
    assert smtp.messages[-1]["Subject"] == "North Clinic: Set a new password"
    passwords.set_own_password(recipient, "seven quiet lanterns over water")
    assert try_log_in(client, recipient.address, "seven quiet lanterns over water").url == "/inbox/"


@pytest.mark.parametrize(
    ("age", "works"), [(timedelta(days=90) - timedelta(seconds=30), True), (timedelta(days=90), False)]
)
def test_the_age_at_its_edge(client, recipient, try_log_in, age, works):
    Organization.objects.update(password_age_days=90)
    User.objects.update(password_set_at=moments.now() - age)
    assert (try_log_in(client, recipient.address, PASSWORD).status_code == 302) is works


def test_no_age_unless_the_organisation_wants_it(client, recipient, try_log_in):
    User.objects.update(password_set_at=moments.now() - timedelta(days=3000), last_login=moments.now())
    assert try_log_in(client, recipient.address, PASSWORD).url == "/inbox/"


@pytest.mark.parametrize(("days", "works"), [(364, True), (366, False)])
def test_a_year_without_logging_in(client, recipient, try_log_in, days, works):
    User.objects.update(
        last_login=moments.now() - timedelta(days=days), password_set_at=moments.now() - timedelta(days=900)
    )
    assert (try_log_in(client, recipient.address, PASSWORD).status_code == 302) is works


def test_the_right_password_counts_as_no_failure(client, recipient, try_log_in):
    User.objects.filter(pk=recipient.pk).update(failures=3)
    ordered(recipient)
    try_log_in(client, recipient.address, PASSWORD)
    recipient.refresh_from_db()
    assert recipient.failures == 0


def test_an_administrators_order(recipient, administrator, log_in, smtp):
    inside = log_in(recipient)
    expired_passwords.order_change(actor=administrator, user=recipient)
    assert inside.get("/inbox/").status_code == 302
    event = AuditEvent.objects.get(action="password.change_ordered")
    assert (event.about, event.actor_id) == (recipient.pk, administrator.pk)
    delivery.deliver_due()
    [message] = smtp.messages
    assert message["Subject"] == "North Clinic: Please set a new password"
    assert message.rcpt == [recipient.address]


# --- Reminders --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "mails"), [(14.5, 0), (13.9, 1), (7.5, 0), (6.9, 1), (1.5, 0), (0.9, 1), (-0.1, 0)])
def test_reminders_fourteen_seven_and_one_day_before(recipient, left, mails):
    Organization.objects.update(password_age_days=90)
    User.objects.update(password_set_at=moments.now() - timedelta(days=90 - left))
    expired_passwords.remind()
    expired_passwords.remind()
    assert OutgoingMail.objects.count() == mails


def test_a_reminder_says_until_when_and_not_after_a_change(recipient, smtp):
    Organization.objects.update(password_age_days=90)
    User.objects.update(password_set_at=moments.now() - timedelta(days=83, hours=1))
    expired_passwords.remind()
    delivery.deliver_due()
    [message] = smtp.messages
    ends = User.objects.get().password_set_at + timedelta(days=90)
    assert f"{ends:%B %Y, %H:%M}" in message.get_body(("plain",)).get_content()
    OutgoingMail.objects.all().delete()
    expired_passwords.remind()
    User.objects.update(password_set_at=moments.now())
    delivery.deliver_due()
    assert len(smtp.messages) == 1


# --- Old ones are kept only where they are forbidden ----------------------------------------------------------------


def test_no_old_hash_is_kept_without_need(recipient):
    passwords.set_own_password(recipient, "one quiet lantern, seven boats")
    assert not OldPassword.objects.exists()


def test_as_many_old_hashes_as_are_forbidden(recipient):
    recipient.organization.password_history = 2
    for number in ("one", "two", "three", "four"):
        passwords.set_own_password(recipient, f"{number} quiet lanterns over the sea")
    assert OldPassword.objects.filter(user=recipient).count() == 2


def test_no_old_one_on_the_page(client, newcomer, temporary_password, try_log_in):
    Organization.objects.update(password_history=3)
    OldPassword.objects.create(user=newcomer, password=newcomer.password)
    try_log_in(client, newcomer.address, temporary_password(newcomer))
    form = {"new_password": "one quiet lantern, seven boats"}
    form["confirm_password"] = form["new_password"]
    page = client.get("/p/north/password/").content.decode()
    assert "not one of your last 3 passwords" in page
    assert client.post("/p/north/password/", form).url == "/inbox/"
