"""Erasing a person: what is said before, what is destroyed, what stays with others, and being interrupted."""

from datetime import date, timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from accounts import roles
from accounts.models import Group, LogInAttempt, PortalSession, User
from messaging import erasing
from messaging.models import ApprovedReading, Erasure, LicensedSender, MailboxEntry, Message, Recipient, RecipientUse
from portal import audit, delivery, imports, moments
from portal.models import AuditEvent, Import, ImportProblem, OutgoingMail

from ..messaging.conftest import send, write  # noqa: F401  fixtures
from .conftest import just_confirmed, page

WHO = "first@outside.example"


def url(user: User) -> str:
    return reverse("admin:messaging_erasure_order", args=[user.pk])


@pytest.fixture
def erase(north):
    return lambda user: north.client.post(url(user))


@pytest.fixture
def done(smtp):
    """done(): the clock has run, mail has left."""

    def run() -> None:
        erasing.work_off()
        delivery.deliver_due()
        erasing.work_off()

    return run


@pytest.fixture
def answered(send, sender, recipient, make_user) -> Message:  # noqa: F811
    """The recipient got two messages from the sender, and wrote one to them."""
    for _number in range(2):
        send(sender, to=recipient.address)
    return send(recipient, to=sender.address)


def test_it_is_said_beforehand_in_numbers(north, recipient, answered):
    html = north.client.get(url(recipient)).content.decode()
    assert "3 copies of messages of theirs, received and sent, are destroyed." in html
    assert "draft" not in html  # there is none
    assert "1 message that they sent stays with those who hold it (1 in all)" in html
    assert "There is no way back." in html
    assert User.objects.get(pk=recipient.pk).address == WHO


def test_nothing_is_said_of_what_is_not_there(north, second_recipient):
    html = north.client.get(url(second_recipient)).content.decode()
    assert "There is no way back." in html
    assert "<li>0 " not in html


def test_copies_and_personal_data_are_destroyed(erase, recipient, answered, log_in, done, smtp):
    inside = log_in(recipient)
    recipient.name, recipient.language, recipient.bounce_words = "First Recipient", "en-gb", f"{WHO}: no such user"
    recipient.save()
    assert erase(recipient).status_code == 302
    assert inside.get(reverse("inbox")).status_code == 302
    done()
    gone = User.objects.get(pk=recipient.pk)
    assert (gone.name, gone.language) == ("Erased person", "")
    assert not gone.may_log_on
    assert not gone.has_usable_password()
    assert gone.is_erased
    assert gone.bounce_words == ""
    assert not MailboxEntry.objects.filter(owner=recipient, removed_at__isnull=True).exists()
    assert not PortalSession.objects.filter(user=recipient).exists()
    [last] = [mail for mail in smtp.messages if "Your data is being erased" in mail["Subject"]]
    assert last["To"] == WHO


def test_the_address_and_name_stand_nowhere_any_more(erase, recipient, answered, done, sender):
    LogInAttempt.objects.create(
        organization=recipient.organization, user=None, address=WHO, reference="X", cause="wrong", at=answered.sent_at
    )
    erase(recipient)
    done()
    for model in (User, Recipient, RecipientUse, OutgoingMail, LogInAttempt, Erasure):
        column = "to_address" if model is OutgoingMail else "address"
        rows = model.objects.filter(**{column: WHO})
        assert not rows.exists(), model
    assert not Recipient.objects.filter(name="First Recipient").exists()
    assert sender.recipient_uses.filter(address__endswith="@erased.invalid").count() == 1  # counted once, as before
    assert not OutgoingMail.objects.filter(dedupe_key__contains=WHO).exists()


def test_the_console_calls_them_an_erased_person(erase, north, recipient, answered, done):
    erase(recipient)
    done()
    RecipientUse.objects.create(sender=recipient, month=date(2001, 2, 1), address="a@x.example")
    mail = OutgoingMail.objects.filter(to_address__endswith="@erased.invalid").first()
    asked = ApprovedReading.objects.create(
        organization=north.organization, message=answered, asked_by=recipient, asked_at=moments.now()
    )
    for path in (
        f"{page(User, 'changelist')}?state=erased",
        page(User, "change", recipient.pk),
        page(User, "history", recipient.pk),
        page(OutgoingMail, "changelist"),
        page(OutgoingMail, "change", mail.pk),
        page(Erasure, "changelist"),
        page(Erasure, "change", Erasure.objects.get(user=recipient).pk),
        page(Message, "changelist"),
        page(Message, "change", answered.pk),
        page(ApprovedReading, "changelist"),
        page(ApprovedReading, "change", asked.pk),
        reverse("admin:messaging_approvedreading_ask", args=[answered.pk]),
        page(LicensedSender, "changelist"),
        page(LicensedSender, "change", recipient.pk),
    ):
        html = north.client.get(path).content.decode()
        assert "erased person" in html, path
        assert "erased.invalid" not in html, path


def test_nothing_is_left_to_do_with_them(erase, north, recipient):
    erase(recipient)
    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    assert 'name="_save"' not in html
    assert 'class="verb"' not in html
    for verb in ("enable", "issue_password", "rename"):
        assert north.client.post(page(User, verb, recipient.pk)).status_code == 404
    recipient.refresh_from_db()
    assert recipient.disabled_at


def test_what_others_hold_stays(erase, recipient, sender, answered, done, log_in):
    erase(recipient)
    done()
    received = MailboxEntry.objects.get(message=answered, owner=sender)
    assert received.wrapped_key
    html = log_in(sender).get(reverse("message", args=[received.pk])).content.decode()
    assert "Erased person" in html
    assert WHO not in html


def test_it_is_written_down_and_the_chain_holds(erase, recipient, answered, done, administrator, events):
    erase(recipient)
    done()
    assert [(who, action) for who, action in events(recipient) if "eras" in action] == [
        (administrator.address, "user.erasure_ordered"),
        (administrator.address, "user.erased"),
    ]
    assert AuditEvent.objects.get(action="user.erased").details == {"copies": 3}
    audit.link_all()
    assert audit.verify(recipient.organization).intact
    row = Erasure.objects.get(user=recipient)
    assert (row.address, row.copies) == ("", 3)
    assert row.finished_at


def test_it_goes_on_where_it_was_left(erase, recipient, answered, smtp, monkeypatch):
    erase(recipient)
    erasing.work_off(seconds=0)
    assert Erasure.objects.get(user=recipient).finished_at is None
    monkeypatch.setattr(erasing, "_ROWS", 1)
    assert erasing.work_off() == 0  # the mail about it has not left
    assert Erasure.objects.get(user=recipient).copies == 3
    delivery.deliver_due()
    assert erasing.work_off() == 1
    assert erasing.work_off() == 0


def test_it_does_not_end_while_they_hold_a_copy(erase, recipient, answered, smtp, monkeypatch):
    """Another transaction held the row, and it was passed over."""
    erase(recipient)
    delivery.deliver_due()
    with monkeypatch.context() as held:
        held.setattr(erasing, "_destroy_copies", lambda erasure: 0)
        assert erasing.work_off() == 0
    assert erasing.work_off() == 1


def test_mail_that_has_not_left_is_taken_back(erase, recipient, answered):
    erase(recipient)
    waiting = OutgoingMail.objects.filter(to_address=WHO, finished_at__isnull=True)
    assert [mail.kind for mail in waiting] == ["erased"]


def test_whoever_writes_there_again_makes_a_new_user(erase, recipient, sender, answered, done, send):  # noqa: F811
    erase(recipient)
    done()
    send(sender, to=WHO)
    assert User.objects.get(organization=recipient.organization, address=WHO).pk != recipient.pk


def test_a_group_has_them_no_more(erase, colleague):
    group = Group.objects.create(organization=colleague.organization, name="Ward")
    group.members.add(colleague)
    erase(colleague)
    assert not group.members.exists()


@pytest.mark.parametrize(
    ("who", "words"), [("administrator", "You cannot erase yourself."), ("operator", "This is an administrator.")]
)
def test_who_is_not_erased(request, north, erase, who, words):
    user = request.getfixturevalue(who)
    assert words in erase(user).content.decode()
    assert not Erasure.objects.filter(user=user).exists()


def test_nobody_is_erased_twice(erase, north, recipient):
    erase(recipient)
    assert "This person has been erased already." in erase(recipient).content.decode()
    assert Erasure.objects.filter(user=recipient).count() == 1


def test_it_is_asked_who_it_is_first(north, erase, recipient):
    just_confirmed(north.client, timedelta(minutes=6))
    assert erase(recipient).url.startswith(reverse("confirm"))
    assert not Erasure.objects.filter(user=recipient).exists()


def test_a_foreign_person_is_not_found(erase, south):
    before = Erasure.objects.count()
    assert erase(south.user).status_code == 404
    assert Erasure.objects.count() == before


@pytest.mark.parametrize("role", roles.Role.values)
def test_with_a_role_nobody_is_erased(playing, recipient, role):  # noqa: F811
    client = just_confirmed(playing(role))
    assert client.post(url(recipient)).status_code == 403
    assert "/erasure/order/" not in client.get(page(User, "change", recipient.pk)).content.decode()


# --- What administrators wrote down of them -----------------------------------------------------------------------


@pytest.fixture
def uploaded(north):
    """uploaded(content, kind): a file that waits to be checked, or confirmed."""

    def upload(content: bytes, kind: str = "users") -> Import:
        kind = imports.kind_named(kind)
        return imports.order(actor=north.user, organization=north.organization, kind=kind, content=content)

    return upload


def test_files_with_a_row_of_theirs_are_forgotten(erase, north, recipient, uploaded):
    theirs = uploaded(b"address,name\nother@outside.example,Other\nFirst@Outside.example,Changed\n")
    confirmed = uploaded(b"address\nfirst@outside.example\n", "licences")
    Import.objects.filter(pk=confirmed.pk).update(checked_at=Now(), confirmed_at=Now())
    others = uploaded(b"address,name\nother@outside.example,Other\n")
    erase(recipient)
    erasing.work_off()
    runs = {run.pk: run for run in Import.objects.all()}
    for run in (theirs, confirmed):
        assert (runs[run.pk].content, runs[run.pk].cancelled_at is not None) == (None, True)
    assert runs[others.pk].content is not None


def test_so_is_what_was_said_of_a_row(erase, north, south, recipient):
    run = getattr(north, "import")
    User.objects.filter(pk=recipient.pk).update(name="Ann")
    texts = ["address: First@outside.example is twice here.", "name: “Ann” is too short.", "Channel is no domain."]
    for line, text in enumerate(texts):
        ImportProblem.objects.create(of_import=run, line=line, text=text)
    foreign = ImportProblem.objects.create(of_import=getattr(south, "import"), line=1, text=texts[0])
    erase(User.objects.get(pk=recipient.pk))
    found = list(run.problems.order_by("line").values_list("text", flat=True))
    assert found == ["This row is erased.", "This row is erased.", "Channel is no domain."]
    foreign.refresh_from_db()
    assert foreign.text == texts[0]


def test_so_are_reasons_for_reading_what_they_wrote_or_asked_for(erase, north, recipient, answered, administrator):
    theirs, others = Message.objects.get(sender=recipient), Message.objects.exclude(sender=recipient).first()
    now = moments.now()

    def ask(message, reason, asked_by=administrator):
        organization = north.organization
        return ApprovedReading.objects.create(
            organization=organization, message=message, asked_by=asked_by, asked_at=now, reason=reason
        )

    gone = [ask(theirs, "A threat"), ask(others, f"What {WHO} was told"), ask(others, "I want to know", recipient)]
    kept = ask(others, "A complaint")
    erase(recipient)
    reasons = dict(ApprovedReading.objects.values_list("pk", "reason"))
    assert {reasons[asked.pk] for asked in gone} == {"This reason is erased."}
    assert reasons[kept.pk] == "A complaint"
