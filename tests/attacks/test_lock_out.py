"""A guesser with a thousand networks and all the time in the world, and the owner who wants to read their mail."""

from functools import partial

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import KnownBrowser, LogInAttempt, MailRequest, User
from portal import moments
from tests.amounts import amount
from tests.conftest import PASSWORD

NETWORKS = amount(1000)


def guess(address: str, network: int, password: str = "wrong"):
    ip = f"10.{network >> 16 & 255}.{network >> 8 & 255}.{network & 255}"
    return Client().post("/p/north/", {"address": address, "password": password}, REMOTE_ADDR=ip)


def compared() -> int:
    return LogInAttempt.objects.filter(cause="wrong").count()


def let_time_pass() -> None:
    """As long as the longest delay: nothing holds the guesser back but the count itself."""
    User.objects.update(next_try_at=None)


@pytest.fixture
def owners_browser(recipient, try_log_in) -> Client:
    client = Client()
    assert try_log_in(client, recipient.address, PASSWORD).url == "/inbox/"
    client.post("/log-out/")
    assert KnownBrowser.objects.count() == 1
    return client


def test_a_thousand_networks_get_a_hundred_guesses(recipient, owners_browser, try_log_in):
    for network in range(NETWORKS):
        assert guess(recipient.address, network).status_code == 200
        let_time_pass()
    assert compared() == 100
    assert LogInAttempt.objects.filter(cause="locked").count() == NETWORKS - 100
    # Not even the right one, from a stranger.
    assert guess(recipient.address, NETWORKS + 1, PASSWORD).status_code == 200
    # The owner comes in by the browser they have used before, and, by mail, from any other.
    assert try_log_in(owners_browser, recipient.address, PASSWORD).url == "/inbox/"
    assert Client().post("/p/north/reset/", {"address": recipient.address}).status_code == 302
    assert MailRequest.objects.exists()


def test_without_waiting_it_is_five(recipient):
    for network in range(60):
        guess(recipient.address, network)
    assert compared() == 5
    assert LogInAttempt.objects.filter(cause="delayed").count() == 55


@pytest.mark.django_db(transaction=True)
def test_at_once_no_more_than_the_count_allows(recipient, in_parallel):
    User.objects.filter(pk=recipient.pk).update(failures=97)
    for _wave in range(4):
        in_parallel([partial(guess, recipient.address, network) for network in range(8)])
        let_time_pass()
    assert compared() == 3
    recipient.refresh_from_db()
    assert recipient.failures == 100


@pytest.mark.skipif(not settings.CELERY_BROKER_URL.startswith("redis"), reason="there is no Redis to flush")
def test_flushing_redis_forgets_no_count(recipient):
    import redis

    User.objects.filter(pk=recipient.pk).update(failures=100, next_try_at=moments.now())
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    assert guess(recipient.address, 1, PASSWORD).status_code == 200
    assert LogInAttempt.objects.get().cause == "locked"
