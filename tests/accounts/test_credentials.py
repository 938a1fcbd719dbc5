import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts import credentials, passwords
from accounts.models import Credential, User
from portal import keyring, moments, outbox
from portal.models import AuditEvent, Organization, OutgoingMail
from tests.conftest import PASSWORD


def mails_for(*users: User) -> list[OutgoingMail]:
    return credentials.first_visit_mails(users, due_at=moments.now())


# --- The secret -----------------------------------------------------------------------------------------------


def test_it_is_the_same_each_time_and_another_for_each_row(newcomer):
    [mail] = mails_for(newcomer)
    secret = credentials.temporary_password(mail.about)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", secret)
    assert credentials.temporary_password(mail.about) == secret
    assert credentials.temporary_password(newcomer.pk) != secret


def test_it_hangs_on_the_key():
    row = Credential().pk
    one, other = (credentials.temporary_password(row, keyring.new_key()) for _ in range(2))
    assert one != other


def test_the_row_holds_no_secret(newcomer):
    [mail] = mails_for(newcomer)
    secret = credentials.temporary_password(mail.about)
    row = str(Credential.objects.values().get()).encode() + bytes(Credential.objects.get().digest)
    assert secret.encode() not in row and secret.replace("-", "").encode() not in row
    assert credentials.matches(Credential.objects.get(), secret)


@pytest.mark.parametrize(
    "typed", ["0123-4567-89AB-CDEF", "o123 4567 89ab cdef", "OI2345678 9abcdef", " 0l23-4567-89AB-CDEF\t"]
)
def test_it_is_read_as_it_was_said(typed):
    assert credentials.digest(typed) == credentials.digest("0123456789ABCDEF")


def test_nothing_matches_where_there_is_none():
    assert not credentials.matches(None, "")
    assert not credentials.matches(None, "0123-4567-89AB-CDEF")


# --- Who gets one ---------------------------------------------------------------------------------------------


def test_a_newcomer_gets_one_for_as_long_as_the_organisation_says(newcomer, organization):
    Organization.objects.filter(pk=organization.pk).update(first_visit_hours=72)
    [mail] = mails_for(newcomer)
    assert (mail.kind, mail.to_address) == ("password_notification", newcomer.address)
    credential = Credential.objects.get(pk=mail.about)
    assert abs(credential.expires_at - moments.now() - timedelta(hours=72)) < timedelta(seconds=5)
    assert mail.not_after == credential.expires_at
    assert OutgoingMail.objects.count() == 0  # not saved: that is the caller's, in one bulk


def test_nobody_else_does(recipient, newcomer, make_user, organization):
    disabled = make_user(organization, "off@outside.example", password=None, disabled_at=moments.now())
    not_allowed = make_user(organization, "not@outside.example", password=None, allow_logon=False)
    assert mails_for(recipient, disabled, not_allowed) == []


def test_not_while_the_last_one_still_lasts(newcomer):
    [first] = mails_for(newcomer)
    assert mails_for(newcomer) == []
    Credential.objects.update(expires_at=moments.now())
    [second] = mails_for(newcomer)
    assert second.about != first.about and second.dedupe_key != first.dedupe_key
    assert Credential.objects.get(pk=first.about).withdrawn_at is not None


def test_not_while_an_administrators_password_still_lasts(newcomer, administrator):
    passwords.set_temporary_password(actor=administrator, user=newcomer, password="told on the telephone")
    assert mails_for(newcomer) == []
    User.objects.update(temporary_until=moments.now())
    assert len(mails_for(newcomer)) == 1


@pytest.mark.parametrize("number", [1, 40])
def test_the_number_of_queries_does_not_grow(organization, make_user, number, django_assert_max_num_queries):
    people = [make_user(organization, f"n{index}@outside.example", password=None) for index in range(number)]
    keyring.leaf_key("credentials")
    now = moments.now()
    with django_assert_max_num_queries(6):
        assert len(credentials.first_visit_mails(people, due_at=now)) == number
    with django_assert_max_num_queries(3):
        assert credentials.first_visit_mails(people, due_at=now) == []


@pytest.mark.django_db(transaction=True)
def test_two_senders_in_one_moment_bring_one(newcomer, in_parallel):
    keyring.leaf_key("credentials")

    def send() -> None:
        with transaction.atomic():
            outbox.enqueue(mails_for(newcomer))

    in_parallel([send] * 5)
    assert Credential.objects.count() == OutgoingMail.objects.count() == 1


# --- Using it up ----------------------------------------------------------------------------------------------


def test_it_is_used_once(newcomer):
    [mail] = mails_for(newcomer)
    credentials.consume(mail.about, newcomer)
    with pytest.raises(credentials.CredentialGone):
        credentials.consume(mail.about, newcomer)
    assert credentials.current(newcomer.pk) is None


def test_it_is_nobody_elses(newcomer, recipient):
    [mail] = mails_for(newcomer)
    with pytest.raises(credentials.CredentialGone):
        credentials.consume(mail.about, recipient)


def test_there_is_never_a_second_open_one(newcomer):
    mails_for(newcomer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Credential.objects.create(
            user=newcomer, purpose=Credential.Purpose.RESET, digest=b"", expires_at=moments.now() + timedelta(hours=1)
        )


# --- Issued by an administrator -------------------------------------------------------------------------------


def test_an_administrator_gets_one_to_pass_on(client, recipient, administrator, try_log_in):
    password = credentials.issue(actor=administrator, user=recipient)
    assert try_log_in(client, recipient.address, password).url == "/p/north/password/"
    event = AuditEvent.objects.get(action="credential.issued")
    assert (event.actor_id, event.about) == (administrator.pk, recipient.pk)
    assert password not in str(event.details)


def test_the_persons_own_password_goes_on_working(client, recipient, administrator, try_log_in):
    credentials.issue(actor=administrator, user=recipient)
    assert try_log_in(client, recipient.address, PASSWORD).url == "/inbox/"


def test_a_newer_one_ends_the_older(client, recipient, administrator, try_log_in):
    older = credentials.issue(actor=administrator, user=recipient)
    credentials.issue(actor=administrator, user=recipient)
    assert try_log_in(client, recipient.address, older).status_code == 200


def test_where_first_passwords_are_told_by_telephone_no_mail_brings_one(organization, newcomer, try_log_in, client):
    Organization.objects.update(first_visit_mode="by_telephone")
    with transaction.atomic():
        assert credentials.first_visit_mails([newcomer], due_at=moments.now()) == []
    assert not Credential.objects.exists()


def test_what_an_administrator_tells_by_telephone_opens_the_page(newcomer, administrator, try_log_in, client):
    Organization.objects.update(first_visit_mode="by_telephone")
    told = credentials.issue(actor=administrator, user=newcomer)
    assert try_log_in(client, newcomer.address, told).url == "/p/north/password/"
