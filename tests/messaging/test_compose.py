from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Group, User
from messaging import addressing
from messaging.drafts import DraftText
from messaging.forms import ComposeForm
from messaging.models import MailboxEntry, Message, Recipient
from messaging.sealed_files import path_of
from portal.ids import uuid7
from portal.models import AuditEvent, OutgoingMail

from .conftest import BODY, SUBJECT, copy_of, discard, send_confirmed


@pytest.fixture
def form():
    return {
        "to": "first@outside.example",
        "cc": "",
        "bcc": "",
        "subject": SUBJECT,
        "body": BODY,
        "body_format": "plain",
        "action": "send",
    }


def url():
    return reverse("draft", args=[uuid7()])


def test_it_shows_an_empty_form(sender, log_in):
    response = log_in(sender).get("/compose/")
    assert response.status_code == 200
    for label in ("To", "Cc", "Bcc", "Subject", "Attach", "Send Securely"):
        assert label in response.text


def test_it_sends(sender, recipient, log_in, form):
    response = log_in(sender).post(url(), form, follow=True)
    assert response.redirect_chain == [("/sent/", 302)]
    assert "Sent securely to 1 recipient." in response.text
    message = Message.objects.get()
    assert message.sent_at is not None
    assert copy_of(message, recipient).folder == "inbox"
    assert copy_of(message, sender).folder == "sent"
    assert list(OutgoingMail.objects.values_list("kind", "to_address")) == [("notification", recipient.address)]
    assert AuditEvent.objects.get(action="message.sent").actor_id == sender.id


def test_an_address_nobody_knows_becomes_an_external_user_and_gets_two_mails(sender, log_in, form):
    send_confirmed(log_in(sender), url(), form | {"to": "New Person <new@unheard.example>"})
    recipient = Recipient.objects.select_related("user__domain").get()
    assert (recipient.user.domain.name, recipient.user.is_internal) == ("unheard.example", False)
    assert recipient.name == "New Person"
    assert set(OutgoingMail.objects.values_list("kind", flat=True)) == {"notification", "password_notification"}


def test_sending_the_form_twice_sends_one_message(sender, recipient, log_in, form):
    client, address = log_in(sender), url()
    client.post(address, form)
    response = client.post(address, form, follow=True)
    assert "This message has been sent already." in response.text
    saving = client.post(address, form | {"action": "autosave"})  # by the script of another window
    assert saving.json() == {"sent": True}
    assert Message.objects.count() == 1
    assert OutgoingMail.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"to": ""}, "Add at least one recipient"),
        ({"to": "first@outside.example, not-an-address"}, "not-an-address"),
        ({"subject": "s" * 251}, "The subject is too long"),
        ({"expires_at": "2001-01-01T12:00"}, "The expiry is in the past"),
    ],
)
def test_what_cannot_be_sent_is_said_and_kept(sender, log_in, form, wrong, said):
    client = log_in(sender)
    response = client.post(url(), form | wrong | {"files": BytesIO(b"kept")})
    assert response.status_code == 422
    assert said in response.text
    message = Message.objects.get()
    assert message.sent_at is None
    assert message.attachments.count() == 1
    again = client.get(reverse("draft", args=[message.id]))
    assert BODY in again.text
    assert OutgoingMail.objects.count() == 0


def test_more_than_500_recipients_are_refused(sender, log_in, form):
    many = "\n".join(f"r{n}@outside.example" for n in range(501))
    response = log_in(sender).post(url(), form | {"to": many})
    assert response.status_code == 422
    assert "at most 500 recipients" in response.text
    assert Recipient.objects.count() == 0


def test_a_message_to_500_reaches_them_all(sender, log_in, form):
    many = "\n".join(f"r{n}@outside.example" for n in range(500))
    response = send_confirmed(log_in(sender), url(), form | {"to": many})
    assert response.status_code == 302
    assert Recipient.objects.count() == 500
    assert OutgoingMail.objects.filter(kind="notification").count() == 500


@pytest.mark.parametrize("told", ["at once", "in digests", "by whose hour is full", "for the first time"])
def test_more_recipients_take_no_more_queries(told, sender, organization, log_in, form, make_user):
    """However they are told. Few enough that SQLite, which takes 999 values a statement, splits none."""
    domain = make_user(organization, "r@outside.example").domain
    now = None if told == "for the first time" else timezone.now()
    notify = "hourly" if told == "in digests" else "at_once"
    people = [
        User(organization=organization, domain=domain, address=f"r{n}@outside.example", notify=notify)
        for n in range(32)
    ]
    for user in people:
        user.password_set_at = now
    User.objects.bulk_create(people)
    organization.hourly_notifications = 1 if told == "by whose hour is full" else 100
    organization.save()
    client = log_in(sender)

    def queries_to(people: list[User]) -> int:
        bcc = ", ".join(user.address for user in people)
        with CaptureQueriesContext(connection) as queries:
            assert client.post(url(), form | {"to": "", "bcc": bcc}).status_code == 302
        return len(queries)

    few, many = people[:2], people[2:]
    queries_to(people if now else people[:1])  # keys and the definition are there from now on; who is written to, known
    assert queries_to(few) == queries_to(many)
    assert Recipient.objects.filter(user__in=many).count() == (2 if now else 1) * len(many)
    kinds = {"at once": "notification", "for the first time": "notification"}
    assert set(Recipient.objects.filter(message=Message.objects.latest("id")).values_list("notification__kind")) == {
        (kinds.get(told, "digest"),)
    }


def test_somebody_named_twice_gets_one_copy(sender, recipient, log_in, form):
    log_in(sender).post(url(), form | {"cc": "FIRST@Outside.Example", "bcc": recipient.address})
    assert Recipient.objects.get().role == "to"
    assert MailboxEntry.objects.filter(owner=recipient).count() == 1


def test_a_list_that_was_pasted_goes_to_everybody_in_it_once(sender, recipient, log_in, form):
    pasted = (
        '"Recipient, First" <first@outside.example>; Second Person <second@elsewhere.example>;\r\n'
        "third@b\u00fccher.example,\r\n\r\n  fourth@elsewhere.example\tand@elsewhere.example".replace("\t", "\n")
        + "\nSECOND@elsewhere.example; third@xn--bcher-kva.example,,;"
    )
    answer = send_confirmed(log_in(sender), url(), form | {"to": pasted})
    assert answer.status_code == 302
    people = dict(Recipient.objects.values_list("address", "name"))
    assert people == {
        "first@outside.example": "First Recipient",  # as the directory has it
        "second@elsewhere.example": "Second Person",
        "third@xn--bcher-kva.example": "",
        "fourth@elsewhere.example": "",
        "and@elsewhere.example": "",
    }


def test_every_wrong_one_in_a_pasted_list_is_named(sender, log_in, form):
    wrong = ["first@", "no address at all", "x@stra\u00dfe.example", "f\u00fcrst@outside.example"]
    page = log_in(sender).post(url(), form | {"to": "good@outside.example\n" + ";\n".join(wrong)})
    assert page.status_code == 422
    for address in wrong:
        assert f"“{address}”" in page.text
    assert "“good@outside.example”" not in page.text
    assert "good@outside.example" in page.text  # still in the field, with the others
    assert Recipient.objects.count() == 0


def test_ones_own_address_gets_a_copy_like_any_other(sender, log_in, form):
    log_in(sender).post(url(), form | {"to": "sender@north.example"})
    kinds = MailboxEntry.objects.filter(owner=sender).values_list("kind", "folder")
    assert set(kinds) == {("sent", "sent"), ("received", "inbox")}


def test_html_of_the_editor_is_sanitised_and_kept(sender, recipient, log_in, form):
    html = '<p>Hello <b>there</b></p><script>alert(1)</script><img src="https://tracker.example/p.png">'
    log_in(sender).post(url(), form | {"body": html, "body_format": "html"})
    response = log_in(recipient).get(reverse("body", args=[copy_of(Message.objects.get(), recipient).id]))
    assert "<b>there</b>" in response.text
    assert "alert" not in response.text
    assert "tracker" not in response.text


def test_a_draft_is_saved_and_opened_again(sender, recipient, log_in, form):
    client = log_in(sender)
    address = url()
    response = client.post(address, form | {"action": "save", "to": "half an addr"}, follow=True)
    assert "Draft saved." in response.text
    assert "half an addr" in response.text
    assert SUBJECT in client.get("/drafts/").text
    client.post(address, form)
    assert Message.objects.get().sent_at is not None
    assert SUBJECT not in client.get("/drafts/").text


def test_formatting_survives_saving_without_the_editor(sender, recipient, write, log_in, form):
    entry = write(sender, to=recipient.address)
    client = log_in(sender)
    address = reverse("draft", args=[entry.message_id])
    client.post(address, form | {"action": "save", "body": "<p>A <b>bold</b> word</p>", "body_format": "html"})
    shown = client.get(address)
    assert "A bold word" in shown.text
    client.post(address, form | {"body": "A bold word"})
    response = log_in(recipient).get(reverse("body", args=[copy_of(entry.message, recipient).id]))
    assert "<b>bold</b>" in response.text


def test_a_draft_is_discarded_with_its_files(sender, log_in, form, django_capture_on_commit_callbacks):
    client = log_in(sender)
    address = url()
    client.post(address, form | {"action": "save", "files": BytesIO(b"secret")})
    file_id = Message.objects.get().attachments.get().file_id
    assert path_of(file_id).exists()
    with django_capture_on_commit_callbacks(execute=True):
        asked = client.post(address, form | {"action": "discard"})
        assert "Discard 1 draft?" in asked.text
        assert f'href="{address}">Keep' in asked.text
        assert Message.objects.exists()
        page = discard(client, address, form)
    assert page.request["PATH_INFO"] == reverse("drafts")
    assert "1 draft discarded." in page.text
    assert not Message.objects.exists()
    assert not path_of(file_id).exists()


def test_an_attachment_is_taken_off_again(sender, log_in, form, django_capture_on_commit_callbacks):
    client = log_in(sender)
    address = url()
    client.post(address, form | {"action": "attach", "files": [named("one.txt"), named("two.txt")]})
    message = Message.objects.get()
    listed = client.get(address).context["attachments"]
    assert [attachment.name for attachment in listed] == ["one.txt", "two.txt"]
    first = message.attachments.get(id=listed[0].id)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(address, form | {"action": "save", "remove": [str(first.file_id), "nonsense"]})
    assert response["Location"] == f"{address}#files"
    assert message.attachments.count() == 1
    assert not path_of(first.file_id).exists()
    page = client.get(address)
    assert [attachment.name for attachment in page.context["attachments"]] == ["two.txt"]
    assert "“one.txt” was removed." in page.text
    assert "Draft saved." not in page.text


def test_what_a_script_says_is_missing_is_said_once_more(sender, log_in, form):
    client = log_in(sender)
    page = client.post(url(), form | {"action": "save", "missing": "<third>.exe"}, follow=True)
    assert "Not attached: &lt;third&gt;.exe." in page.text
    for action in ("upload", "autosave", "discard"):
        client.post(url(), form | {"action": action, "missing": "third.exe"})
        assert "Not attached" not in client.get(reverse("inbox")).text


def named(name: str, content: bytes = b"x") -> BytesIO:
    file = BytesIO(content)
    file.name = name
    return file


def test_it_checks_ownership(sender, second_recipient, write, log_in, form):
    draft = write(sender, to="x@outside.example")
    address = reverse("draft", args=[draft.message_id])
    assert log_in(second_recipient).get(address).status_code == 404
    assert log_in(second_recipient).post(address, form).status_code == 404
    assert Message.objects.get().sent_at is None


def test_an_unlicensed_colleague_may_not_write_new_messages(colleague, log_in, form):
    client = log_in(colleague)
    assert client.get("/compose/").status_code == 403
    response = client.post(url(), form)
    assert response.status_code == 422
    assert "not write new ones" in response.text
    assert Message.objects.get().sent_at is None


def test_an_external_person_writes_to_the_organisation_only(recipient, sender, log_in, form):
    client = log_in(recipient)
    assert client.post(url(), form | {"to": sender.address}).status_code == 302
    response = client.post(url(), form | {"to": f"{sender.address}, other@outside.example"})
    assert response.status_code == 422
    assert "other@outside.example" in response.text
    assert Message.objects.filter(sent_at__isnull=False).count() == 1


def test_an_external_person_cannot_make_internal_users(recipient, log_in, form):
    response = log_in(recipient).post(url(), form | {"to": "invented@north.example"})
    assert response.status_code == 422
    assert not Recipient.objects.exists()


def test_nothing_is_stored_in_the_clear(sender, recipient, log_in, form):
    log_in(sender).post(url(), form | {"files": named("diagnosis.txt", b"the diagnosis itself")})
    message = Message.objects.get()
    attachment = message.attachments.get()
    stored = b"".join(
        bytes(value)
        for value in (message.subject, message.body, attachment.name, path_of(attachment.file_id).read_bytes())
    )
    for secret in (SUBJECT.encode(), b"Nobody but you", b"diagnosis"):
        assert secret not in stored


def test_a_group_of_the_directory_goes_to_its_members(sender, colleague, administrator, recipient, log_in, form):
    group = Group.objects.create(organization=sender.organization, name="Front Desk")
    group.members.add(colleague, administrator)
    log_in(sender).post(url(), form | {"to": "front desk, first@outside.example"})
    assert set(Recipient.objects.values_list("address", flat=True)) == {
        colleague.address,
        administrator.address,
        recipient.address,
    }


def test_groups_are_for_the_organisations_own_people(sender, colleague, recipient, log_in, form):
    Group.objects.create(organization=sender.organization, name="Front Desk").members.add(colleague)
    response = log_in(recipient).post(url(), form | {"to": "Front Desk"})
    assert response.status_code == 422
    assert "is not an email address" in response.text


def test_no_group_but_those_named_is_loaded(sender, colleague, administrator, make_user, django_assert_num_queries):
    former = make_user(sender.organization, "former@north.example", disabled_at=timezone.now())
    for name in ("Front Desk", "Ward 1", "Everybody"):
        Group.objects.create(organization=sender.organization, name=name).members.add(administrator, former)
    Group.objects.get(name="Ward 1").members.add(colleague)
    text = DraftText(to="front DESK", cc="Ward 1, x@outside.example", bcc='"Doe, Jane" <jane@outside.example>')
    with django_assert_num_queries(2) as queries:
        people, problems = addressing.read_addresses(text, sender)
    assert not problems
    assert [(person.role, person.address) for person in people] == [
        ("to", administrator.address),
        ("cc", colleague.address),
        ("cc", "x@outside.example"),
        ("bcc", "jane@outside.example"),
    ]
    everybody = Group.objects.get(name="Everybody").id
    assert everybody.hex not in str(queries.captured_queries).replace("-", "")


def test_a_slip_of_the_pen_loads_no_members(sender, colleague, django_assert_num_queries):
    Group.objects.create(organization=sender.organization, name="Front Desk").members.add(colleague)
    with django_assert_num_queries(1):
        _people, problems = addressing.read_addresses(DraftText(to="Front Dsk", cc="x", bcc="y"), sender)
    assert len(problems) == 3


@pytest.mark.parametrize(
    "typed", ["31.12.2026 10:00", "tomorrow", "2026-02-30T10:00", "9999-12-31T23:59", "0001-01-01"]
)
def test_an_expiry_that_cannot_be_read_is_a_problem_and_not_simply_none(typed):
    form = ComposeForm({"expires_at": typed})
    assert form.text(None).expires_at is None
    assert form.problems() == [
        "The expiry could not be read. Choose date and time again, or leave it empty.",
    ]


@pytest.mark.parametrize("typed", ["", " ", "2026-12-31T10:00", "2000-01-01T00:00", "9998-12-31T23:59"])
def test_an_expiry_that_can_be_read_or_is_left_out_is_none(typed):
    form = ComposeForm({"expires_at": typed})
    assert (form.text(None).expires_at is not None) == bool(typed.strip())
    assert form.problems() == []


def test_the_expiry_names_the_writers_own_zone(sender, log_in):
    sender.time_zone = "Asia/Kolkata"
    sender.save()
    client = log_in(sender)
    assert "Leave empty for the usual time. Times are IST." in client.get(reverse("compose")).text
    form = {"body": "b", "expires_at": "2031-05-01T12:00", "action": "save"}
    page = client.post(reverse("draft", args=[uuid7()]), form, follow=True)
    assert Message.objects.get().expires_at.isoformat() == "2031-05-01T06:30:00+00:00"
    assert 'value="2031-05-01T12:00"' in page.text
