"""500 different external addresses a month and sender; exact, also when many send at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from messaging import licences, sending, undo
from messaging.models import BulkSenderPack, Message, RecipientUse
from messaging.recall import recall_message
from messaging.replies import Answer

from .conftest import copy_of

MONTH = date(2001, 2, 1)


def used(sender) -> int:
    return RecipientUse.objects.filter(sender=sender).count()


def use(sender, count: int) -> None:
    """As if the sender had written to that many others this month."""
    month = licences.month_of(sender, datetime.now(UTC))
    RecipientUse.objects.bulk_create(
        RecipientUse(sender=sender, month=month, address=f"used{n}@outside.example") for n in range(count)
    )


def test_an_address_counts_once_a_month_in_to_cc_and_bcc(sender, send):
    send(sender, to="a@x.example", cc="b@x.example", bcc="c@x.example, A@X.example")
    assert used(sender) == 3
    send(sender, to="c@x.example, d@x.example")
    assert used(sender) == 4


def test_colleagues_are_not_counted(sender, colleague, administrator, send):
    send(sender, to=f"{colleague.address}, {administrator.address}")
    assert used(sender) == 0


def test_replies_and_external_senders_are_not_counted(sender, recipient, second_recipient, send):
    from messaging.access import openable_entry

    message = send(sender, to=f"{recipient.address}, {second_recipient.address}")
    send(recipient, answer=Answer(openable_entry(recipient, copy_of(message, recipient).id), True))
    send(sender, answer=Answer(openable_entry(sender, copy_of(message, sender).id), True))
    send(recipient, to=sender.address)
    assert used(sender) == 2
    assert used(recipient) == 0


def test_recalled_and_undone_messages_stay_counted(sender, organization, send):
    recall_message(actor=sender, message=send(sender, to="a@x.example"))
    organization.undo_seconds = 60
    organization.save()
    sender.organization.refresh_from_db()
    message = send(sender, to="b@x.example")
    undo.undo_sending(actor=sender, entry=copy_of(message, sender))
    assert used(sender) == 2


def test_going_over_is_refused_with_the_number_and_nothing_sent(sender, send):
    use(sender, 498)
    with pytest.raises(sending.NotSent, match="1 recipient over") as refused:
        send(sender, to="a@x.example, b@x.example, c@x.example")
    assert "Nothing was sent" in refused.value.problems[0]
    assert used(sender) == 498
    assert not Message.objects.filter(sent_at__isnull=False).exists()
    send(sender, to="a@x.example, b@x.example")
    assert used(sender) == 500
    send(sender, to="a@x.example, used1@outside.example")  # both counted already


def test_packs_raise_the_limit_in_their_months(sender):
    BulkSenderPack.objects.create(sender=sender, recipients=1000, first_month=date(2001, 1, 1), last_month=MONTH)
    BulkSenderPack.objects.create(sender=sender, recipients=50, first_month=MONTH)
    limits = [licences.usage(sender, date(2001, month, 1)).limit for month in (1, 2, 3)]
    assert limits == [1500, 1550, 550]
    assert licences.usage(sender, date(2000, 12, 1)).limit == 500


def test_the_month_is_the_organisations(sender, organization):
    sender.organization.time_zone = "Pacific/Auckland"
    assert licences.month_of(sender, datetime(2001, 1, 31, 12, tzinfo=UTC)) == MONTH


def test_the_compose_page_shows_what_is_left(sender, recipient, log_in):
    use(sender, 120)
    assert "380 of 500 external recipients left this month" in log_in(sender).get("/compose/").text
    assert "external recipients left" not in log_in(recipient).get("/compose/").text


@pytest.mark.django_db(transaction=True)
def test_20_parallel_sends_at_499_end_at_exactly_500(sender, write):
    use(sender, 499)
    entries = [write(sender, to=f"new{n}@x.example") for n in range(20)]

    def send(entry) -> bool:
        try:
            sending.send_draft(actor=sender, entry=entry)
            return True
        except sending.NotSent:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(send, entries))
    assert outcomes.count(True) == 1
    assert used(sender) == 500
    assert Message.objects.filter(sent_at__isnull=False).count() == 1
