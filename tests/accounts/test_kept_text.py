"""What was being written when the session ended is there after logging in again."""

from datetime import timedelta

import pytest

from accounts import kept_texts
from accounts.models import KeptText, PortalSession
from messaging.models import MailboxEntry
from portal import delivery, moments
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


def test_the_page_says_so_and_it_is_a_draft_after_logging_in(ended, sender, try_log_in, smtp):
    response = ended.post(URL, LETTER)
    assert response.status_code == 403
    page = response.content.decode()
    assert "What you wrote is kept, and nothing was sent." in page and 'href="/p/north/"' in page
    response = log_in_again(ended, try_log_in, "/p/north/")
    assert response.url == URL
    page = ended.get(URL).content.decode()
    assert "You were logged out while writing." in page
    assert "Dear Patient, all is well." in page and 'value="Results of Monday"' in page
    assert MailboxEntry.objects.get(owner=sender).kind == "draft"
    assert not KeptText.objects.exists()
    delivery.deliver_due()
    assert smtp.messages == []


def test_a_link_to_a_message_is_still_followed(ended, sender, try_log_in):
    ended.post(URL, LETTER)
    entry = uuid7()
    assert log_in_again(ended, try_log_in, f"/p/north/m/{entry}/").url == f"/messages/{entry}/arrive/"
    assert "You were logged out while writing." in ended.get("/drafts/").content.decode()
    assert MailboxEntry.objects.filter(owner=sender, kind="draft").count() == 1


def test_a_saved_draft_goes_on_where_it_was(ended, sender, log_in, try_log_in):
    log_in(sender).post(URL, LETTER | {"action": "save", "window": "one"})
    ended.post(URL, LETTER | {"body": "<p>One sentence more.</p>", "window": "one", "revision": "1"})
    assert log_in_again(ended, try_log_in, "/p/north/").url == URL
    assert "One sentence more." in ended.get(URL).content.decode()
    assert MailboxEntry.objects.filter(owner=sender).count() == 1


def test_one_that_was_saved_elsewhere_meanwhile_becomes_a_second(ended, sender, log_in, try_log_in):
    elsewhere = log_in(sender)
    elsewhere.post(URL, LETTER | {"action": "save", "window": "one"})
    elsewhere.post(URL, LETTER | {"action": "save", "window": "two", "revision": "1", "body": "<p>Other words</p>"})
    ended.post(URL, LETTER | {"window": "one", "revision": "1"})
    second = log_in_again(ended, try_log_in, "/p/north/").url
    assert second != URL
    assert "Other words" in ended.get(URL).content.decode()
    assert "Dear Patient, all is well." in ended.get(second).content.decode()


def test_what_can_be_no_draft_any_more_is_shown_once_and_stays_a_day(ended, sender, recipient, log_in, try_log_in):
    log_in(sender).post(URL, LETTER)  # sent meanwhile, from another window
    ended.post(URL, LETTER)
    kept = KeptText.objects.get()
    assert log_in_again(ended, try_log_in, "/p/north/").url == f"/kept/{kept.pk}/"
    page = ended.get(f"/kept/{kept.pk}/").content.decode()
    assert "Dear Patient, all is well." in page and "Results of Monday" in page
    ended.post("/log-out/")
    assert log_in_again(ended, try_log_in, "/p/north/").url == "/inbox/"
    assert ended.get(f"/kept/{kept.pk}/").status_code == 200
    assert ended.post(f"/kept/{kept.pk}/").url == "/inbox/"
    assert not KeptText.objects.exists()


def test_an_answer_to_what_is_gone_meanwhile_is_shown(ended, try_log_in):
    ended.post(URL, LETTER | {"answers": str(uuid7())})
    assert log_in_again(ended, try_log_in, "/p/north/").url.startswith("/kept/")


def test_prose_of_another_form_is_shown(ended, try_log_in):
    ended.post("/signature/", {"signature": "Kind regards, the ward"})
    url = log_in_again(ended, try_log_in, "/p/north/").url
    assert "Kind regards, the ward" in ended.get(url).content.decode()


def test_a_text_that_does_not_open_keeps_nobody_out(ended, try_log_in):
    ended.post(URL, LETTER)
    KeptText.objects.update(sealed_form=b"broken")
    assert log_in_again(ended, try_log_in, "/p/north/").url.startswith("/kept/")
    assert ended.get("/inbox/").status_code == 200


def test_looking_at_it_writes_nothing(ended, sender, log_in):
    ended.post("/signature/", {"signature": "Kind regards, the ward"})
    kept = KeptText.objects.get()
    log_in(sender).get(f"/kept/{kept.pk}/")
    kept.refresh_from_db()
    assert kept.shown_at is None


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
