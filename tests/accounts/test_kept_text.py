"""What was being written when the session ended is there after logging in again."""

import re
from datetime import timedelta

import pytest

from accounts import kept_texts
from accounts.models import KeptText, PortalSession
from messaging.models import MailboxEntry
from portal import moments
from portal.ids import uuid7
from tests.conftest import PASSWORD

URL = f"/drafts/{uuid7()}/"
LETTER = {
    "to": "first@outside.example",
    "cc": "",
    "bcc": "",
    "subject": "Results of Monday",
    "body": "<p>Dear Patient, all is well.</p>",
    "body_format": "html",
    "action": "send",
}


@pytest.fixture
def ended(log_in, sender):
    """A browser in which the sender's session has run out."""
    client = log_in(sender)
    PortalSession.objects.update(last_seen_at=moments.now() - timedelta(minutes=61))
    return client


def log_in_again(client, try_log_in, url: str):
    return try_log_in(client, "sender@north.example", PASSWORD, url=url)


def test_the_page_says_so_and_the_text_is_there_after_logging_in(ended, sender, try_log_in):
    response = ended.post(URL, LETTER)
    assert response.status_code == 403
    page = response.content.decode()
    assert "What you wrote is kept." in page
    [link] = re.findall(r'href="(/p/north/\?next=[^"]+)"', page)
    response = log_in_again(ended, try_log_in, link.replace("&amp;", "&"))
    kept = KeptText.objects.get()
    assert response.url == f"/kept/{kept.pk}/"
    page = ended.get(response.url).content.decode()
    assert "Dear Patient, all is well." in page and "Results of Monday" in page
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert fields["subject"] == LETTER["subject"]
    assert f'action="{URL}"' in page and 'name="action" value="save"' in page
    response = ended.post(URL, LETTER | {"action": "save"})
    assert response.url == URL
    assert MailboxEntry.objects.filter(owner=sender, kind="draft").exists()


def test_it_is_offered_even_without_the_link(ended, try_log_in):
    ended.post(URL, LETTER)
    kept = KeptText.objects.get()
    assert log_in_again(ended, try_log_in, "/p/north/").url == f"/kept/{kept.pk}/"
    ended.get(f"/kept/{kept.pk}/")
    ended.post("/log-out/")
    assert log_in_again(ended, try_log_in, "/p/north/").url == "/inbox/"


def test_it_can_be_thrown_away(ended, try_log_in):
    ended.post(URL, LETTER)
    kept = KeptText.objects.get()
    log_in_again(ended, try_log_in, "/p/north/")
    assert ended.post(f"/kept/{kept.pk}/").url == "/inbox/"
    assert not KeptText.objects.exists()


def test_it_is_sealed_and_its_owners_alone(ended, log_in, colleague):
    ended.post(URL, LETTER | {"new_password": "secret words"})
    kept = KeptText.objects.get()
    assert b"Patient" not in bytes(kept.sealed_form)
    assert log_in(colleague).get(f"/kept/{kept.pk}/").status_code == 404
    form = kept_texts.opened(kept)
    assert "action" not in form.fields and "new_password" not in form.fields and form.path == URL


def test_a_session_that_was_ended_by_somebody_gives_the_text_back(log_in, sender):
    client = log_in(sender)
    PortalSession.objects.all().delete()
    page = client.post(URL, LETTER).content.decode()
    assert "could not be kept" in page and "Dear Patient, all is well." in page
    assert not KeptText.objects.exists()


def test_a_stranger_gets_their_own_words_back_and_nothing_is_kept(client, organization):
    response = client.post(URL, LETTER)
    assert response.status_code == 403 and "Results of Monday" in response.content.decode()
    assert not KeptText.objects.exists()


def test_a_form_without_text_is_only_sent_to_the_log_in_page(ended):
    assert ended.post("/messages/delete/", {"entry": "x"}).status_code == 302
    assert not KeptText.objects.exists()


def test_asking_whether_the_session_lives_does_not_forget_whose_it_was(ended):
    assert ended.get("/session/").json() == {"seconds": 0}
    assert ended.get("/inbox/").status_code == 302
    ended.post(URL, LETTER)
    assert KeptText.objects.count() == 1


def test_five_at_most_and_a_day(ended):
    for number in range(7):
        ended.post(URL, LETTER | {"subject": f"Letter number {number}"})
    assert KeptText.objects.count() == 5
    KeptText.objects.update(at=moments.now() - kept_texts.LIFETIME)
    assert kept_texts.clear_old() == 5
