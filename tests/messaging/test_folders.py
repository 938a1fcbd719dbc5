import re
from datetime import timedelta
from functools import partial
from html import escape

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import PortalSession
from messaging import folders, sealing, sending
from messaging.folders import PAGE_ROWS
from messaging.models import Attachment, MailboxEntry, Message, Recipient
from messaging.sealed_files import path_of
from portal import keyring
from portal.ids import uuid7
from portal.postgresql.statements import Preparable

from .conftest import SUBJECT, copy_of
from .test_races import at_once


@pytest.fixture
def sent(sender, recipient, second_recipient, send):
    return send(sender, to=f"{recipient.address}, {second_recipient.address}")


def many(sender, recipient, count: int) -> None:
    """Messages straight into the tables; sending thousands one by one would be the test's whole time."""
    now = timezone.now()
    key, row = keyring.new_key(), keyring.retention_key_for(sender.organization, now)
    retention_key = keyring.open_retention_key(row)
    messages, entries = [], []
    for n in range(count):
        message = Message(organization=sender.organization, sender=sender, retention_key=row, sent_at=now)
        message.subject = sealing.seal_message_text(message, key, "subject", f"Number {n}")
        message.body = sealing.seal_message_text(message, key, "body", "<p>Nothing new.</p>")
        entry = MailboxEntry(owner=recipient, message=message, kind="received", folder="inbox", visible_at=now)
        sealing.wrap_for_entry(entry, key, retention_key)
        messages.append(message)
        entries.append(entry)
    Message.objects.bulk_create(messages)
    MailboxEntry.objects.bulk_create(entries)


def post(client, name, *entries, **more):
    return client.post(reverse(name), {"entry": [str(entry.id) for entry in entries], **more}, follow=True)


def test_the_inbox_lists_what_was_received(sent, recipient, log_in):
    page = log_in(recipient).get("/inbox/")
    assert SUBJECT in page.text
    assert "Demo Sender" in page.text
    assert page.context["rows"][0]["unread"]
    assert [(f["label"], f["count"]) for f in page.context["folders"]] == [
        ("Inbox", 1),
        ("Sent Items", 0),
        ("Drafts", 0),
        ("Deleted Items", 0),
    ]


def test_sent_items_list_what_was_sent(sent, sender, log_in):
    page = log_in(sender).get("/sent/")
    assert SUBJECT in page.text
    assert "First Recipient, Second Recipient" in page.text
    assert SUBJECT not in log_in(sender).get("/inbox/").text


def test_a_draft_says_whom_it_names(write, sender, log_in):
    write(sender, to="First <first@outside.example>", bcc="third@elsewhere.example")
    write(sender, subject="To nobody yet")
    page = log_in(sender).get("/drafts/")
    nobody, named = page.context["rows"]
    assert nobody["who"] == "(no recipient yet)"
    assert named["who"] == escape("First <first@outside.example>, third@elsewhere.example")
    assert page.text.count(f'<span class="row__who">{named["who"]}</span>') == 1


def test_names_and_subjects_stay_text(send, sender, recipient, log_in):
    hostile = "<img src=x onerror=alert(1)> &amp; \"Q\" 'A' %(who)s %s"
    sender.name = hostile
    sender.save(update_fields=["name"])
    send(sender, to=recipient.address, subject=hostile)
    page = log_in(recipient).get("/inbox/").text
    assert "<img src=x" not in page
    assert f'<span class="row__who"><span class="unheard" data-unread>Unread: </span>{escape(hostile)}</span>' in page
    assert f'<span class="row__subject" dir="auto">{escape(hostile)}</span>' in page
    assert f'<span class="unheard">Select {escape(hostile)} {escape(hostile)}</span>' in page


@pytest.mark.parametrize("folder", ["inbox", "sent", "drafts", "deleted"])
def test_an_empty_folder_says_what_will_be_here(recipient, folder, log_in):
    page = log_in(recipient).get(f"/{folder}/")
    assert page.status_code == 200
    assert page.context["rows"] == []


def test_pages_go_by_key(sender, recipient, log_in):
    many(sender, recipient, 2 * PAGE_ROWS + 1)
    client, seen, url = log_in(recipient), [], "/inbox/"
    while url:
        page = client.get(url)
        seen += [row["entry"] for row in page.context["rows"]]
        url = page.context["older_url"]
    assert len(seen) == len(set(seen)) == 2 * PAGE_ROWS + 1
    assert seen == sorted(seen, reverse=True)


def test_a_page_takes_the_same_few_queries_for_1_and_for_10_000_messages(
    sender, recipient, log_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = log_in(recipient)
    many(sender, recipient, 1)
    with django_assert_max_num_queries(8) as few:
        client.get("/inbox/")
        count = len(few)
    many(sender, recipient, 9_999)
    PortalSession.objects.update(last_seen_at=timezone.now())  # activity is recorded once in ten seconds
    with django_assert_num_queries(count):
        page = client.get("/inbox/")
    assert page.context["folders"][0]["count"] == 10_000
    assert ">10,000<" in page.text


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL plans by statistics")
@pytest.mark.parametrize("older", [False, True])
def test_of_many_messages_a_page_looks_up_its_own_alone(older, organization, sender, recipient, make_user):
    """Where others have so few that PostgreSQL expects few of everybody."""
    for n in range(100):
        many(sender, make_user(organization, f"r{n}@outside.example"), 1)
    many(sender, recipient, 500)
    plans = []

    def explained(execute, sql, params, many, context):
        if isinstance(sql, Preparable):
            execute(sql, params, many, context)  # prepares it
            asked, values = sql.executing(params)
            execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}", values, many, context)
            plans.append(context["cursor"].fetchone()[0][0]["Plan"])
        return execute(sql, params, many, context)

    newest = MailboxEntry.objects.filter(owner=recipient).latest("id")
    connection.cursor().execute("ANALYZE")
    with connection.execute_wrapper(explained):
        page = folders.page(recipient, "inbox", older_than=newest.id if older else None)
    assert len(page.rows) == PAGE_ROWS
    [plan] = plans
    assert looked_up(plan) == PAGE_ROWS + 1


def looked_up(plan: dict) -> int:
    """Messages that the plan read."""
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == Message._meta.db_table else 0
    return own + sum(map(looked_up, plan.get("Plans", [])))


def test_an_expired_message_is_a_line_without_its_subject(sent, recipient, sender, log_in):
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page = log_in(recipient).get("/inbox/")
    assert "Expired" in page.text
    assert SUBJECT not in page.text
    own = log_in(sender).get("/sent/")
    assert "Expired" in own.text
    assert SUBJECT in own.text


def test_delete_moves_to_deleted_items_at_once_and_undo_brings_back(sent, recipient, second_recipient, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    page = post(client, "delete", entry)
    assert "1 message moved to Deleted Items." in page.text
    assert "Undo" in page.text
    assert SUBJECT not in client.get("/inbox/").text
    assert SUBJECT in client.get("/deleted/").text
    assert SUBJECT in log_in(second_recipient).get("/inbox/").text
    page = post(client, "restore", entry)
    assert "1 message restored." in page.text
    assert SUBJECT in client.get("/inbox/").text
    assert SUBJECT not in client.get("/deleted/").text


def test_a_deleted_message_can_still_be_opened_and_restored(sent, recipient, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    post(client, "delete", entry)
    page = client.get(reverse("message", args=[entry.id]))
    assert page.status_code == 200
    assert "Restore" in page.text


def test_deleting_a_sent_message_and_restoring_it(sent, sender, log_in):
    client, entry = log_in(sender), copy_of(sent, sender)
    post(client, "delete", entry)
    assert SUBJECT in client.get("/deleted/").text
    post(client, "restore", entry)
    assert SUBJECT in client.get("/sent/").text


def test_deleting_twice_removes_nothing(sent, recipient, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    post(client, "delete", entry)
    post(client, "delete", entry)
    assert SUBJECT in client.get("/deleted/").text


def test_a_second_press_offers_the_way_back_again(sent, recipient, log_in):
    """The page that answered the first, which had it, was replaced before anybody saw it."""
    client, entry = log_in(recipient), copy_of(sent, recipient)
    for _press in range(2):
        page = post(client, "delete", entry)
        assert "1 message moved to Deleted Items." in page.text
        assert page.context["undo"]["entries"] == [str(entry.id)]
    assert "1 message restored." in post(client, "restore", entry).text
    assert SUBJECT in client.get("/inbox/").text


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_offer_it_too(sent, recipient, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    others = [Client() for _ in range(2)]
    for other in others:
        other.cookies = client.cookies
    presses = [partial(other.post, reverse("delete"), {"entry": str(entry.id)}) for other in others]
    assert [answer.status_code for answer in at_once(*presses)] == [302, 302]
    page = client.get("/inbox/")
    assert page.context["undo"]["entries"] == [str(entry.id)]
    assert "Nothing was deleted" not in page.text


def test_what_could_not_be_deleted_is_said(sent, recipient, second_recipient, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    assert "Nothing was deleted" not in post(client, "delete", entry).text
    post(client, "remove", entry, sure="yes")
    said = "Nothing was deleted: the message is not there any more."
    assert said in post(client, "delete", entry).text
    assert said in post(client, "delete", copy_of(sent, second_recipient)).text
    assert "Nothing was deleted" not in post(client, "delete").text  # "Tick the messages first."


def said(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def fields_of(question) -> dict:
    """What pressing the button of a question sends."""
    form = question.text.partition("<main")[2].partition("<form")[2]
    fields: dict = {"sure": "yes"}
    for name, value in re.findall('name="(entry|message|next)" value="([^"]+)"', form):
        fields.setdefault(name, []).append(value)
    return fields


def ask(client, *entries):
    return post(client, "discard", *entries, next="/drafts/")


def discard(client, *entries):
    return post(client, "discard", *entries, sure="yes", next="/drafts/")


def test_drafts_are_discarded_after_a_question(write, sender, log_in):
    client, entries = log_in(sender), [write(sender, subject=f"Draft {n}") for n in range(3)]
    page = ask(client, *entries[:2])
    assert "Discard 2 drafts?" in page.text
    assert "They are destroyed with their attachments." in page.text
    assert [row["title"] for row in page.context["rows"]] == ["Draft 1", "Draft 0"]
    assert Message.objects.count() == 3
    page = discard(client, *entries[:2])
    assert "2 drafts discarded." in page.text
    assert page.request["PATH_INFO"] == "/drafts/"
    assert MailboxEntry.objects.get().id == entries[2].id
    assert Message.objects.get().id == entries[2].message_id


def test_its_files_go_with_a_draft(attach, sender, log_in, django_capture_on_commit_callbacks):
    attach(b"content")
    file = path_of(Attachment.objects.get().file_id)
    assert file.exists()
    with django_capture_on_commit_callbacks(execute=True):
        discard(log_in(sender), MailboxEntry.objects.get())
    assert not Message.objects.exists()
    assert not file.exists()


def test_a_draft_sent_meanwhile_stays(write, sender, recipient, log_in):
    client, entry = log_in(sender), write(sender, to=recipient.address)
    ticked, fields = MailboxEntry.objects.get(), fields_of(ask(client, entry))
    sending.send_draft(actor=sender, entry=entry)
    assert "Nothing was discarded: " in ask(client, ticked).text
    page = client.post(reverse("discard"), fields, follow=True)
    assert "What you sent meanwhile was not discarded." in page.text
    assert Message.objects.get().sent_at is not None
    assert SUBJECT in client.get("/sent/").text


def test_a_second_press_says_nothing_else(write, sender, log_in):
    client, entry = log_in(sender), write(sender)
    fields = fields_of(ask(client, entry))
    presses = [client.post(reverse("discard"), fields, follow=True) for _ in range(2)]
    assert [said(page) for page in presses] == [["1 draft discarded."], []]


def test_nobody_discards_somebody_elses_draft(write, sender, recipient, administrator, log_in):
    entry = write(sender)
    for person in (recipient, administrator):
        assert "Nothing was discarded" in ask(log_in(person), entry).text
        assert said(discard(log_in(person), entry)) == []
    assert Message.objects.exists()


def test_nor_learns_whether_it_was_sent(sent, recipient, log_in):
    fields = {"entry": str(uuid7()), "message": str(sent.id), "sure": "yes"}
    assert said(log_in(recipient).post(reverse("discard"), fields, follow=True)) == []


def test_no_more_are_discarded_than_a_page_holds(write, sender):
    entries = [write(sender) for _ in range(PAGE_ROWS + 1)]
    assert folders.discard(actor=sender, entry_ids=[entry.id for entry in entries]) == PAGE_ROWS
    assert Message.objects.count() == 1


def test_no_body_is_read_for_it(write, sender, django_assert_max_num_queries):
    entries = [write(sender) for _ in range(2)]
    with django_assert_max_num_queries(40) as queries:
        folders.discard(actor=sender, entry_ids=[entry.id for entry in entries])
    assert not [query for query in queries if '"messaging_message"."body"' in query["sql"]]


def test_a_page_that_became_empty_leads_to_the_first(sender, recipient, log_in):
    many(sender, recipient, PAGE_ROWS + 1)
    client = log_in(recipient)
    older = client.get("/inbox/").context["older_url"]
    last = MailboxEntry.objects.earliest("id")
    page = post(client, "delete", last, next=older)
    assert page.request["PATH_INFO"] == "/inbox/"
    assert page.request["QUERY_STRING"] == ""
    assert len(page.context["rows"]) == PAGE_ROWS
    assert page.context["undo"]["entries"] == [str(last.id)]


def test_removing_from_deleted_items_destroys_this_readers_key_alone(sent, recipient, second_recipient, sender, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    page = post(client, "remove", entry, sure="yes")
    assert said(page) == ["What is not in Deleted Items any more was not deleted."]
    assert copy_of(sent, recipient).removed_at is None
    post(client, "delete", entry)
    presses = [post(client, "remove", entry, sure="yes") for _ in range(2)]
    assert [said(page) for page in presses] == [["1 message deleted for good."], []]
    removed = copy_of(sent, recipient)
    assert removed.removed_at is not None
    assert removed.wrapped_key is None
    assert client.get(reverse("message", args=[entry.id])).status_code == 404
    assert SUBJECT in log_in(second_recipient).get("/inbox/").text
    assert SUBJECT in log_in(sender).get("/sent/").text


def test_nothing_is_removed_without_a_question(sent, sender, recipient, log_in):
    for person in (recipient, sender):
        client, entry = log_in(person), copy_of(sent, person)
        assert "Nothing was deleted" in post(client, "remove", entry).text
        post(client, "delete", entry)
        page = post(client, "remove", entry, next="/deleted/?older=x")
        assert "Delete 1 message for good?" in page.text
        assert [row["title"] for row in page.context["rows"]] == [SUBJECT]
        assert (page.context["next"], page.context["keep"]) == ("/deleted/?older=x", "/deleted/?older=x")
        assert ("no longer recall what you sent" in page.text) == (person == sender)
        assert copy_of(sent, person).removed_at is None


def test_who_has_another_copy_of_what_they_sent_can_recall_it_still(organization, sender, recipient, send, log_in):
    organization.bcc_to_mail_server = True
    organization.save()
    sender.refresh_from_db()
    message, client = send(sender, to=recipient.address), log_in(sender)
    in_sent, in_inbox = (message.entries.get(owner=sender, kind=kind) for kind in ("sent", "own_copy"))
    for chosen, warns in (([in_sent], False), ([in_inbox], False), ([in_sent, in_inbox], True)):
        post(client, "delete", *chosen)
        page = post(client, "remove", *chosen)
        assert ("no longer recall what you sent" in page.text) == warns
    post(client, "remove", in_sent, sure="yes")
    assert "no longer recall what you sent" in post(client, "remove", in_inbox).text


def test_who_keeps_a_message_is_led_back_to_it(sent, sender, log_in):
    client, entry = log_in(sender), copy_of(sent, sender)
    folders.delete(actor=sender, entry_ids=[entry.id])
    own = reverse("message", args=[entry.id])
    button = re.search('formaction="/messages/remove/" name="([^"]+)" value="([^"]+)"', client.get(own).text)
    page = post(client, "remove", entry, next="/deleted/", **{button[1]: button[2]})
    assert f'href="{own}">Keep</a>' in page.text
    assert page.context["next"] == "/deleted/"
    page = post(client, "remove", entry, next="/deleted/", keep="https://evil.example/")
    assert 'href="/deleted/">Keep</a>' in page.text


def test_nobody_is_asked_about_somebody_elses(sent, recipient, second_recipient, log_in):
    entry = copy_of(sent, recipient)
    post(log_in(recipient), "delete", entry)
    assert "Nothing was deleted" in post(log_in(second_recipient), "remove", entry).text


def test_read_and_unread_concern_ones_own_list_only(sent, recipient, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    assert "1 message marked read." in post(client, "mark_read", entry).text
    assert not client.get("/inbox/").context["rows"][0]["unread"]
    assert Recipient.objects.get(user=recipient).read_at is None
    assert "1 message marked unread." in post(client, "mark_unread", entry).text
    assert client.get("/inbox/").context["rows"][0]["unread"]


def test_many_at_once(sender, recipient, send, log_in):
    entries = [copy_of(send(sender, to=recipient.address), recipient) for _ in range(3)]
    client = log_in(recipient)
    page = post(client, "delete", *entries)
    assert "3 messages moved to Deleted Items." in page.text
    assert len(client.get("/deleted/").context["rows"]) == 3


@pytest.mark.parametrize("verb", ["delete", "restore", "discard", "remove", "mark_read", "mark_unread"])
def test_verbs_touch_nobody_elses_copies(verb, sent, recipient, second_recipient, stranger, log_in):
    entry = copy_of(sent, recipient)
    before = MailboxEntry.objects.values().get(id=entry.id)
    for person in (second_recipient, stranger):
        assert post(log_in(person), verb, entry, sure="yes").status_code == 200
    assert MailboxEntry.objects.values().get(id=entry.id) == before


@pytest.mark.parametrize(("verb", "folder"), [("remove", "/deleted/"), ("discard", "/drafts/")])
def test_the_address_of_a_question_leads_to_its_folder(verb, folder, recipient, log_in):
    page = log_in(recipient).get(reverse(verb), follow=True)
    assert (page.request["PATH_INFO"], said(page)) == (folder, [])


@pytest.mark.parametrize("verb", ["delete", "restore", "mark_read", "mark_unread"])
def test_verbs_reject_get(verb, recipient, log_in):
    assert log_in(recipient).get(reverse(verb)).status_code == 405


@pytest.mark.parametrize("verb", ["delete", "restore", "discard", "remove", "mark_read", "mark_unread"])
def test_verbs_take_nonsense(verb, recipient, log_in):
    client = log_in(recipient)
    response = client.post(reverse(verb), {"entry": ["nonsense", str(uuid7())], "next": "https://evil.example/"})
    assert response["Location"] == "/inbox/"


def test_a_key_that_is_none_shows_the_first_page(recipient, log_in):
    assert log_in(recipient).get("/inbox/?older=nonsense").status_code == 200
