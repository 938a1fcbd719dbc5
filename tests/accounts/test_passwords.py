from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts import credentials, passwords
from accounts.models import Credential, User
from portal import moments
from portal.models import AuditEvent, OutgoingMail
from tests.conftest import PASSWORD

TOLD = "told on the telephone"


def test_an_own_password_ends_everything_temporary(newcomer):
    User.objects.filter(pk=newcomer.pk).update(
        temporary_until=moments.now(), failures=7, next_try_at=moments.now() + timedelta(hours=1)
    )
    credentials.first_visit_mails([newcomer], due_at=moments.now())
    newcomer.refresh_from_db()
    passwords.set_own_password(newcomer, "seven quiet lanterns over water")
    stored = User.objects.get(pk=newcomer.pk)
    assert stored.check_password("seven quiet lanterns over water")
    assert stored.has_own_password and stored.may_try_at(moments.now()) and stored.failures == 0
    assert (newcomer.password, newcomer.password_set_at) == (stored.password, stored.password_set_at)
    assert Credential.objects.get().withdrawn_at is not None


def test_the_rules_hold_for_everybody_who_sets_one(newcomer, administrator):
    with pytest.raises(ValidationError):
        passwords.set_own_password(newcomer, "short")
    with pytest.raises(ValidationError):
        passwords.set_temporary_password(actor=administrator, user=newcomer, password="short")
    with pytest.raises(ValidationError):
        passwords.replace_temporary(user=newcomer, credential_id=None, password="short")
    assert not User.objects.get(pk=newcomer.pk).has_usable_password()


def test_an_administrators_password_is_temporary_and_told(log_in, recipient, administrator):
    client = log_in(recipient)
    passwords.set_temporary_password(actor=administrator, user=recipient, password=TOLD)
    assert client.get("/inbox/").status_code == 302 and not recipient.sessions.exists()
    recipient.refresh_from_db()
    assert recipient.check_password(TOLD) and not recipient.check_password(PASSWORD)
    assert abs(recipient.temporary_until - moments.now() - timedelta(hours=24)) < timedelta(seconds=5)
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.to_address) == ("password_set_by_administrator", recipient.address)
    event = AuditEvent.objects.get(action="password.set_by_administrator")
    assert (event.actor_id, event.about) == (administrator.pk, recipient.pk)
    assert TOLD not in str(event.details)


def test_an_administrators_password_that_was_set_anew_is_gone(recipient, administrator):
    passwords.set_temporary_password(actor=administrator, user=recipient, password=TOLD)
    late = User.objects.select_related("organization").get(pk=recipient.pk)
    passwords.set_temporary_password(actor=administrator, user=recipient, password=TOLD + " again")
    with pytest.raises(credentials.CredentialGone):
        passwords.replace_temporary(user=late, credential_id=None, password="seven quiet lanterns over water")
    assert User.objects.get(pk=recipient.pk).check_password(TOLD + " again")


def test_an_own_password_is_not_replaced_without_a_credential(recipient):
    with pytest.raises(credentials.CredentialGone):
        passwords.replace_temporary(user=recipient, credential_id=None, password="seven quiet lanterns over water")
    assert User.objects.get(pk=recipient.pk).check_password(PASSWORD)
