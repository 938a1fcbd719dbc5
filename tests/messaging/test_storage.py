"""What one's own files take, what is left, and what to remove: messaging/storage.py and its page."""

from django.urls import reverse

from messaging import storage
from messaging.models import MailboxEntry
from portal.models import Organization

from .conftest import copy_of, file_named

PAGE = reverse("storage")


def limit(organization: Organization, storage_mb: int) -> None:
    organization.storage_mb = storage_mb
    organization.save()


def test_used_and_left_are_said(sender, organization, send_file, log_in):
    limit(organization, 2)
    client = log_in(sender)
    assert "0\xa0bytes of 2.0\xa0MB used, 2.0\xa0MB left." in client.get(PAGE).text
    send_file(bytes(512 * 1024))
    page = client.get(PAGE).text
    assert "512.0\xa0KB of 2.0\xa0MB used, 1.5\xa0MB left." in page
    assert '<progress max="2097152" value="524288"' in page


def test_a_limit_lowered_since_leaves_nothing(sender, organization, send_file, log_in):
    send_file(bytes(2 * 1024 * 1024))
    limit(organization, 1)
    assert "2.0\xa0MB of 1.0\xa0MB used, 0\xa0bytes left." in log_in(sender).get(PAGE).text


def test_the_largest_stand_first_each_with_its_folder_and_its_way(sender, organization, write, send, send_file, log_in):
    organization.bcc_to_mail_server = True  # a second copy of what is sent, in the Inbox
    organization.save()

    def sent(row) -> MailboxEntry:
        return MailboxEntry.objects.get(message=row.message, owner=sender, kind=MailboxEntry.Kind.SENT)

    _url, small = send_file(bytes(1000))
    _url, large = send_file(bytes(3000))
    draft = write(sender, subject="Begun")
    client = log_in(sender)
    form = {"body": "b", "action": "attach", "files": file_named("d", bytes(2000))}
    client.post(reverse("draft", args=[draft.message_id]), form)
    send(sender, to="first@outside.example", subject="No files")
    client.post(reverse("delete"), {"entry": str(sent(large).id)})

    lines = client.get(PAGE).context["lines"]
    assert [(str(line["folder"]), line["size"]) for line in lines] == [
        ("Deleted Items", 3000),
        ("Drafts", 2000),
        ("Sent Items", 1000),
    ]
    assert [line["url"] for line in lines] == [
        reverse("message", args=[sent(large).id]),
        reverse("draft", args=[draft.message_id]),
        reverse("message", args=[sent(small).id]),
    ]


def test_received_files_are_nobodys_storage_but_the_senders(recipient, colleague, send_file, log_in):
    send_file(bytes(1000))
    for reader in (recipient, colleague):
        assert storage.storage_of(reader).used == 0
        assert "What takes most" not in log_in(reader).get(PAGE).text


def test_what_is_removed_for_good_is_gone_from_it(sender, send_file, log_in):
    _url, row = send_file(bytes(1000))
    client, entry = log_in(sender), {"entry": str(copy_of(row.message, sender).id)}
    client.post(reverse("delete"), entry)
    assert storage.storage_of(sender).used == 1000
    client.post(reverse("remove"), entry | {"sure": "yes"})
    assert "0\xa0bytes of" in client.get(PAGE).text
    assert storage.largest(sender) == []


def test_a_constant_number_of_queries(sender, send_file, log_in, django_assert_num_queries):
    client = log_in(sender)
    send_file(bytes(10))
    client.get(PAGE)
    with django_assert_num_queries(6):  # session and user, folders, three for the largest, the sum
        client.get(PAGE)
    for _n in range(3):
        send_file(bytes(10))
    with django_assert_num_queries(6):
        client.get(PAGE)


def test_the_page_for_writing_leads_there(sender, organization, log_in):
    limit(organization, 5)
    page = log_in(sender).get(reverse("compose")).text
    assert "All your drafts and sent messages together: up to 5.0\xa0MB." in page
    assert f'href="{PAGE}"' in page


def test_one_is_told_before_it_is_full(attach, organization):
    limit(organization, 1)
    assert "nearly full" not in attach(bytes(900 * 1024)).text
    assert "Your storage is nearly full: 24.0\xa0KB left." in attach(bytes(100 * 1024)).text
