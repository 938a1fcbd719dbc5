"""Every URL × every person. A URL that is missing from the table fails the suite; the administration console's are
walked one by one in tests/admin/test_scoping.py.

The rows of a message are those of one that `sender` sent to `recipient`: what is somebody else's and what does not
exist are the same 404.
"""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import credentials, kept_texts
from messaging import drafts, sending
from messaging.models import MailboxEntry
from portal import pictures
from portal.branding import set_picture
from portal.colours import Palette
from portal.ids import uuid7
from portal.models import Branding

from .small_pictures import png

PEOPLE = (
    "anonymous",
    "sender",
    "recipient",
    "second_recipient",
    "colleague",
    "stranger",
    "administrator",
    "other_administrator",
    "operator",
)
TO_LOG_IN = 302
EVERYBODY_INSIDE = dict.fromkeys(PEOPLE, 200) | {"anonymous": TO_LOG_IN}
EVERYBODY = dict.fromkeys(PEOPLE, 200)
NOBODY_ELSE = dict.fromkeys(PEOPLE, 404) | {"anonymous": TO_LOG_IN}
ITS_RECIPIENT = NOBODY_ELSE | {"recipient": 200}
ITS_AUTHOR = NOBODY_ELSE | {"sender": 200}
AFTER_A_POST = dict.fromkeys(PEOPLE, 302)
WRITERS = EVERYBODY_INSIDE | {"colleague": 403, "administrator": 403, "other_administrator": 403, "operator": 403}

# (URL name, method, whose copy the URL names) → status by person
TABLE = {
    ("home", "get", None): EVERYBODY,
    ("healthz", "get", None): EVERYBODY,
    ("readyz", "get", None): EVERYBODY,
    ("metrics", "get", None): dict.fromkeys(PEOPLE, 404),
    ("colours", "get", None): EVERYBODY,
    ("brand_image", "get", None): EVERYBODY,
    ("log_in", "get", None): dict.fromkeys(PEOPLE, 302)
    | {"anonymous": 200, "stranger": 200, "other_administrator": 200},
    ("log_in_to_message", "get", "recipient"): dict.fromkeys(PEOPLE, 302)
    | {"anonymous": 200, "stranger": 200, "other_administrator": 200},
    ("set_password", "get", None): dict.fromkeys(PEOPLE, 302),
    ("password_advice", "post", None): EVERYBODY | {"anonymous": 404, "stranger": 404, "other_administrator": 404},
    ("reset_password", "get", None): EVERYBODY,
    ("help_page", "get", None): EVERYBODY,
    ("reset_sent", "get", None): EVERYBODY,
    ("reset_link", "get", "link"): dict.fromkeys(PEOPLE, 302),
    ("send_link", "get", None): EVERYBODY,
    ("link_sent", "get", None): EVERYBODY,
    ("log_out", "post", None): AFTER_A_POST,
    ("account", "get", None): EVERYBODY_INSIDE,
    ("change_password", "get", None): EVERYBODY_INSIDE,
    ("confirm", "get", None): EVERYBODY_INSIDE,
    ("second_factors", "get", None): EVERYBODY_INSIDE,
    ("add_app", "get", None): AFTER_A_POST,  # is it still you?
    ("add_passkey", "get", None): AFTER_A_POST,
    ("recovery_codes", "post", None): AFTER_A_POST,
    ("remove_second_factor", "post", None): AFTER_A_POST,
    ("second_factor", "get", None): dict.fromkeys(PEOPLE, 302),
    ("end_session", "post", None): AFTER_A_POST,
    ("session", "get", None): EVERYBODY,
    ("stay", "post", None): AFTER_A_POST,
    ("kept_text", "get", "kept"): ITS_RECIPIENT,
    ("inbox", "get", None): EVERYBODY_INSIDE,
    ("sent", "get", None): EVERYBODY_INSIDE,
    ("drafts", "get", None): EVERYBODY_INSIDE,
    ("deleted", "get", None): EVERYBODY_INSIDE,
    ("search", "get", None): EVERYBODY_INSIDE,
    ("compose", "get", None): WRITERS,
    ("complete", "post", None): EVERYBODY_INSIDE,
    ("signature", "get", None): EVERYBODY_INSIDE,
    ("storage", "get", None): EVERYBODY_INSIDE,
    ("draft", "get", "draft"): ITS_AUTHOR,
    ("message", "get", "recipient"): ITS_RECIPIENT,
    ("message", "get", "sender"): ITS_AUTHOR,
    ("arrive", "get", "recipient"): NOBODY_ELSE | {"recipient": 302},
    ("body", "get", "recipient"): ITS_RECIPIENT,
    ("attachment", "get", "recipient"): NOBODY_ELSE,
    ("print_sheet", "get", "recipient"): ITS_RECIPIENT,
    ("download", "get", "recipient"): NOBODY_ELSE | {"recipient": 403},
    ("download", "get", "sender"): ITS_AUTHOR,
    ("reply", "get", "recipient"): ITS_RECIPIENT,
    ("reply_all", "get", "recipient"): ITS_RECIPIENT,
    ("recall", "get", "recipient"): NOBODY_ELSE,
    ("recall", "get", "sender"): ITS_AUTHOR,
    ("forward", "get", "sender"): ITS_AUTHOR
    | {"colleague": 403, "administrator": 403, "other_administrator": 403, "operator": 403},
    ("recall_recipient", "get", "recipient"): NOBODY_ELSE,
    ("resend", "post", "recipient"): NOBODY_ELSE,
    ("send_to_another", "get", "recipient"): NOBODY_ELSE,
    ("send_to_another", "get", "sender"): NOBODY_ELSE | {"sender": 302},
    ("send_to_another", "post", "recipient"): NOBODY_ELSE,
    ("send_to_another", "post", "sender"): NOBODY_ELSE | {"sender": 422},
    ("extend", "get", "recipient"): NOBODY_ELSE,
    ("extend", "get", "sender"): ITS_AUTHOR,
    ("expire", "get", "sender"): ITS_AUTHOR,
    ("expire", "post", "recipient"): NOBODY_ELSE,
    ("expire", "post", "sender"): NOBODY_ELSE | {"sender": 302},
    ("undo_sending", "post", None): NOBODY_ELSE,
    ("delete", "post", None): AFTER_A_POST,
    ("restore", "post", None): AFTER_A_POST,
    ("remove", "get", None): AFTER_A_POST,
    ("remove", "post", None): AFTER_A_POST,
    ("discard", "get", None): AFTER_A_POST,
    ("discard", "post", None): AFTER_A_POST,
    ("mark_read", "post", None): AFTER_A_POST,
    ("mark_unread", "post", None): AFTER_A_POST,
}
POST_ONLY = {name for name, _method, _whose in TABLE} - {name for name, method, _whose in TABLE if method == "get"}


@pytest.fixture
def arguments(sender, recipient, second_recipient):
    """arguments(URL name, whose copy) → what its address is made of."""

    def draft():
        text = drafts.DraftText(to=recipient.address, subject="Subject", body="<p>Body</p>")
        return drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry

    message = sending.send_draft(actor=sender, entry=draft()).message
    unsent = draft()
    copies = {entry.owner.address: entry for entry in MailboxEntry.objects.filter(message=message)}

    def of(name: str, whose: str | None) -> dict:
        if whose == "kept":
            return {"kept": kept_texts.store(recipient, {"path": "/drafts/", "fields": {}})}
        if whose == "link":
            return {"organization": "north", "token": credentials.link_token(credentials.for_reset(recipient).pk)}
        if name == "colours":
            return {"palette": Palette.own().name}
        if name == "brand_image":
            branding, _new = Branding.objects.get_or_create(organization=sender.organization)
            set_picture(branding, "logo", pictures.read(png(3, 2)))
            return {"organization": sender.organization_id, "name": branding.logo}
        if name in (
            "log_in",
            "set_password",
            "reset_password",
            "reset_sent",
            "second_factor",
            "help_page",
            "password_advice",
        ):
            return {"organization": "north"}
        if whose is None:
            return {}
        if whose == "draft":
            return {"message": unsent.message_id}
        entry = {"entry": copies[{"sender": sender, "recipient": recipient}[whose].address].id}
        return entry | {
            "log_in_to_message": {"organization": "north"},
            "attachment": {"attachment": uuid7()},
            "recall_recipient": {"recipient": uuid7()},
            "resend": {"recipient": uuid7()},
        }.get(name, {})

    return of


@pytest.fixture
def browser_of(request, client, log_in):
    return lambda person: client if person == "anonymous" else log_in(request.getfixturevalue(person))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(filter(None, row)))
def test_each_person_gets_what_the_table_says(row, arguments, browser_of):
    name, method, whose = row
    url = reverse(name, kwargs=arguments(name, whose))
    answers = {person: getattr(browser_of(person), method)(url).status_code for person in PEOPLE}
    assert answers == TABLE[row]


@pytest.mark.parametrize("name", sorted({name for name, _method, _whose in TABLE}))
def test_a_method_that_is_not_listed_is_refused(name, arguments, sender, log_in):
    whose = next(row[2] for row in TABLE if row[0] == name)
    url = reverse(name, kwargs=arguments(name, whose))
    client = log_in(sender)
    assert client.get(url).status_code == 405 if name in POST_ONLY else client.put(url).status_code == 405
    assert client.delete(url).status_code == 405


def test_no_url_is_missing_from_the_table():
    assert set(_names(get_resolver())) == {name for name, _method, _whose in TABLE}


def _names(resolver: URLResolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name
        elif pattern.namespace != "admin":
            yield from _names(pattern)
