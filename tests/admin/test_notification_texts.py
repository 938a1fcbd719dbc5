"""Account → Notifications: an organisation's own words in its mails, from the console to the mail that arrives."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from accounts import roles
from portal import delivery, letters, wordings
from portal.models import AuditEvent, NotificationText

from ..messaging.conftest import send, write  # noqa: F401  fixtures
from .conftest import page

PREVIEW = reverse("admin:portal_notificationtext_preview")
FIELDS = {
    "kind": "notification",
    "subject": "A confidential message from the ward",
    "text": "Dear reader,\r\n\r\n{sender_name} <{sender_address}> at {organization} has written to you.",
}


@pytest.fixture
def own(organization) -> NotificationText:
    return NotificationText.objects.create(
        organization=organization, kind="notification", subject="From the ward", text=FIELDS["text"]
    )


def test_every_mail_that_can_be_worded_is_listed(north):
    html = north.client.get(page(NotificationText, "changelist")).content.decode()
    for wording in wordings.all_wordings():
        assert str(wording.label) in html
    assert f'href="{page(NotificationText, "add")}?kind=notification"' in html
    assert f'href="{page(NotificationText, "change", north.text.pk)}"' in html
    assert html.count(">your own<") == 1
    assert {wording.kind for wording in wordings.all_wordings()} >= {
        "notification",
        "reminder",
        "password_notification",
        "password_reset",
        "digest",
        "read_receipt",
        "portal_link",
    }


def test_one_begins_with_the_portals_text_and_its_placeholders(north):
    html = north.client.get(f"{page(NotificationText, 'add')}?kind=notification").content.decode()
    assert "{sender_name} ({sender_address}) at {organization} has sent you a secure message.</textarea>" in html
    assert 'value="Secure Messaging Notification"' in html


def test_it_is_written_changed_and_taken_back(north, events):
    assert north.client.post(page(NotificationText, "add"), FIELDS).status_code == 302
    row = NotificationText.objects.get(kind="notification", organization=north.organization)
    url = page(NotificationText, "change", row.pk)
    assert north.client.post(url, FIELDS | {"subject": "Another", "kind": "reminder"}).status_code == 302
    row.refresh_from_db()
    assert (row.subject, row.kind) == ("Another", "notification")
    assert north.client.post(page(NotificationText, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert [action.partition(".")[2] for _who, action in events(row)] == ["created", "changed", "deleted"]
    assert not any("ward" in str(event.details) for event in AuditEvent.objects.all())


def test_there_is_one_for_a_mail(north, own):
    response = north.client.post(page(NotificationText, "add"), FIELDS)
    assert "There is a text of your own for this mail already" in response.content.decode()


def test_what_the_linter_refuses_is_not_saved(north):
    wrong = FIELDS | {"text": "Act now: https://evil.example/", "subject": "WIN A PRIZE!"}
    response = north.client.post(page(NotificationText, "add"), wrong)
    html = response.content.decode()
    for sentence in (
        "“https://evil.example/” is a link",
        "“act now” makes a mail look like a promotion",
        "No exclamation mark in the subject",
        "Put {sender_address} into the text",
    ):
        assert sentence in html
    assert wrong["text"] in html  # nothing that was typed is lost
    assert not NotificationText.objects.filter(kind="notification").exists()


def test_the_contact_of_the_settings_may_be_named(north):
    named = FIELDS | {"text": FIELDS["text"] + " Questions: ward@north.example"}
    assert "is not an address of yours" in north.client.post(page(NotificationText, "add"), named).content.decode()
    type(north.organization).objects.update(support_contact="ward@north.example")
    assert north.client.post(page(NotificationText, "add"), named).status_code == 302


def test_the_mail_that_arrives_carries_it(own, sender, send, smtp):  # noqa: F811
    sender.name = "{organization} & <b>Sons</b>"
    sender.save()
    send(sender, to="first@outside.example")
    delivery.deliver_due()
    [mail] = [found for found in smtp.messages if "From the ward" in found["Subject"]]
    assert mail["Subject"] == "North Clinic: From the ward"
    plain, html = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    named = "{organization} & <b>Sons</b> <sender@north.example> at North Clinic"
    assert plain.startswith(f"Dear reader,\n\n{named} has written to you.\n\nOpen")
    assert "<p>Dear reader,</p>" in html
    assert escape("{organization} & <b>Sons</b> <sender@north.example>") in html
    assert html.count("<a ") == 1
    assert "Access is for the recipient of the message alone." in plain


def test_an_organizations_text_is_its_own(own, other_organization):
    wording = wordings.wording_of("notification")
    assert wording
    assert wordings.own_text(other_organization, wording) is None
    mail = letters.sample(other_organization, wording, wordings.own_text(other_organization, wording))
    assert "has sent you a secure message" in mail.text


# --- The preview --------------------------------------------------------------------------------------------------


def test_the_preview_shows_both_parts_and_saves_nothing(north):
    answer = north.client.post(PREVIEW, FIELDS)
    html = answer.content.decode()
    assert "North Clinic: A confidential message from the ward" in html
    assert escape("Alex Example <alex@example.org> at North Clinic has written to you.") in html
    assert 'sandbox srcdoc="&lt;!doctype html&gt;' in html
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert not NotificationText.objects.filter(kind="notification").exists()


def test_the_preview_says_what_would_be_refused(north):
    html = north.client.post(f"{PREVIEW}?kind=reminder", {"subject": "Sale", "text": "x"}).content.decode()
    assert "“sale” makes a mail look like a promotion" in html
    assert "North Clinic: Sale" in html


@pytest.mark.parametrize("kind", [wording.kind for wording in wordings.all_wordings()] + ["", "nonsense"])
def test_the_preview_of_what_is_kept(north, kind):
    response = north.client.get(f"{PREVIEW}?kind={kind}")
    assert response.status_code == 200
    assert "North Clinic: " in response.content.decode()


def test_the_preview_speaks_for_the_organisation_of_the_row(operator, log_in, south):
    client = log_in(operator)
    assert f"row={south.text.pk}" in client.get(page(NotificationText, "change", south.text.pk)).content.decode()
    for answer in (
        client.get(f"{PREVIEW}?kind=reminder&row={south.text.pk}"),
        client.post(f"{PREVIEW}?kind=reminder&row={south.text.pk}", FIELDS),
        client.post(PREVIEW, FIELDS | {"organization": south.organization.pk}),
    ):
        assert "South Council: " in answer.content.decode()
        assert "North Clinic" not in answer.content.decode()
    assert "North Clinic: " in client.get(f"{PREVIEW}?kind=reminder").content.decode()


@pytest.mark.parametrize("row", ["nonsense", "01a20ee9-4f5f-7003-836f-028191fadf72"])
def test_the_preview_of_no_row(operator, log_in, row):
    client = log_in(operator)
    assert client.get(f"{PREVIEW}?row={row}").status_code == 404
    assert client.post(PREVIEW, FIELDS | {"organization": row}).status_code == 404


def test_the_preview_does_not_speak_for_others(north, south):
    assert north.client.get(f"{PREVIEW}?row={south.text.pk}").status_code == 404
    forged = north.client.post(PREVIEW, FIELDS | {"organization": south.organization.pk}).content.decode()
    assert "South Council" not in forged
    assert "North Clinic: " in forged


def test_with_a_role_it_is_only_looked_at(playing, north):  # noqa: F811
    client = playing(roles.Role.BASIC)
    assert client.get(PREVIEW).status_code == 200
    assert client.post(page(NotificationText, "add"), FIELDS).status_code == 403
    assert "?kind=" not in client.get(page(NotificationText, "changelist")).content.decode()
    assert playing(roles.Role.HELP_DESK).get(PREVIEW).status_code == 403
