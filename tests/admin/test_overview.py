from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import LogInAttempt, User
from messaging import licences
from messaging.models import ApprovedReading, Message, RecipientUse
from portal import rotation
from portal.models import OutgoingMail

from ..messaging.conftest import send, write  # noqa: F401  fixtures
from .conftest import page

INDEX = reverse("admin:index")


def attention(place) -> dict[str, str]:
    """{sentence: where it leads}"""
    return {one.text: one.url for one in place.client.get(INDEX).context["attention"]}


def test_with_nothing_to_say_it_says_so(north):
    assert attention(north) == {}
    assert "Nothing at present." in north.client.get(INDEX).content.decode()


def test_mails_that_failed_or_wait(north, south):
    now = timezone.now()
    for place in (north, south):
        OutgoingMail.objects.filter(pk=place.mail.pk).update(state="failed", finished_at=now)
    ((text, url),) = attention(north).items()
    assert text == "1 mail could not be delivered in the last 7 days."
    shown = north.client.get(url).context["cl"].result_list
    assert [mail.pk for mail in shown] == [north.mail.pk]
    OutgoingMail.objects.filter(pk=north.mail.pk).update(state="due", finished_at=None, due_at=now - timedelta(hours=2))
    assert list(attention(north)) == ["1 mail has been waiting for more than an hour."]


def test_locked_accounts(north, south, recipient):
    for user in (recipient, south.user):
        User.objects.filter(pk=user.pk).update(next_try_at=timezone.now() + timedelta(minutes=5))
    ((text, url),) = attention(north).items()
    assert text == "1 account is locked after failed log-ins."
    assert [user.pk for user in north.client.get(url).context["cl"].result_list] == [recipient.pk]


def test_an_account_locked_for_good_is_found_too(north, recipient):
    from accounts.throttling import MOST_FAILURES

    User.objects.filter(pk=recipient.pk).update(failures=MOST_FAILURES, next_try_at=None)
    ((_text, url),) = attention(north).items()
    assert [user.pk for user in north.client.get(url).context["cl"].result_list] == [recipient.pk]


def test_readings_that_wait_for_ones_approval(north, administrator):
    ApprovedReading.objects.update(asked_at=timezone.now())
    ((text, url),) = attention(north).items()
    assert text == "1 request to read a message waits for approval."
    assert [asked.pk for asked in north.client.get(url).context["cl"].result_list] == [north.reading.pk]
    ApprovedReading.objects.update(asked_by=administrator)  # one's own is for somebody else
    assert attention(north) == {}


def test_a_rotation_that_is_not_through_is_told_the_operator(north, operator, log_in, settings):
    place = SimpleNamespace(client=log_in(operator))
    assert attention(place) == {}
    settings.MASTER_KEYS = f"new:{'B' * 43}=,{settings.MASTER_KEYS}"
    ((text, _url),) = attention(place).items()
    assert "under a former master key: run manage.py rewrap_keys." in text
    assert attention(north) == {}
    rotation.rewrap_all()
    assert attention(place) == {}


def test_licences_near_their_limit(north, sender):
    month = licences.month_of(sender, timezone.now())
    RecipientUse.objects.bulk_create(
        RecipientUse(sender=sender, month=month, address=f"a{n}@x.example") for n in range(450)
    )
    ((text, url),) = attention(north).items()
    assert text == "1 sender is near this month's limit of recipients."
    assert [user.pk for user in north.client.get(url).context["cl"].result_list] == [sender.pk]


def test_pictures_count_own_rows_only(north, south, sender, send):  # noqa: F811
    north.recall.delete()
    north.message.delete()
    send(sender, to="a@x.example, b@x.example")
    old = send(sender, to="a@x.example")
    Message.objects.filter(pk=old.pk).update(sent_at=timezone.now() - timedelta(days=31))
    LogInAttempt.objects.update(cause=LogInAttempt.Cause.SUCCESS)
    messages, recipients, log_ins = north.client.get(INDEX).context["charts"]
    assert [chart.total for chart in (messages, recipients, log_ins)] == [1, 2, 1]
    assert messages.bars[-1].value == 1
    assert len(messages.bars) == 30


def test_each_picture_has_a_table_behind_it(north):
    html = north.client.get(INDEX).content.decode()
    assert html.count("<figure") == html.count("<svg viewBox") == html.count("<table") == 3
    assert "style=" not in html


@pytest.mark.parametrize("count", [1, 15])
def test_a_constant_number_of_queries(north, sender, send, count, django_assert_num_queries):  # noqa: F811
    for _n in range(count):
        send(sender, to="a@x.example")
    with django_assert_num_queries(17):
        north.client.get(INDEX)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("notification", "Secure Messaging Notification"),
        ("done_by_administrator", "Account changed by an administrator"),
        ("of_an_earlier_version", "of_an_earlier_version"),
    ],
)
def test_a_mail_is_called_by_what_it_is(north, kind, words):
    OutgoingMail.objects.filter(pk=north.mail.pk).update(kind=kind)
    assert f">{words}</td>" in north.client.get(page(OutgoingMail, "changelist")).content.decode()
    assert f"<h1>{words}</h1>" in north.client.get(page(OutgoingMail, "change", north.mail.pk)).content.decode()


def test_the_list_of_outgoing_mail_shows_no_content(north):
    html = north.client.get(page(OutgoingMail, "change", north.mail.pk)).content.decode()
    assert north.mail.to_address in html
    assert 'name="state"' not in html
