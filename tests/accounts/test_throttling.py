from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from accounts import throttling
from accounts.models import KnownBrowser, LogInAttempt, User
from portal import moments
from portal.models import AuditEvent
from tests.conftest import PASSWORD


def causes() -> list[str]:
    return list(LogInAttempt.objects.order_by("id").values_list("cause", flat=True))


def from_network(number: int) -> dict:
    """A network of its own for each try, so that only the account's limits count."""
    return {"REMOTE_ADDR": f"10.0.{number // 200}.{number % 200 + 1}"}


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [(1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1920), (12, 3600), (13, 3600), (99, 3600), (10_000, 3600)],
)
def test_the_delay_doubles_from_the_fifth_failure_to_an_hour(failure, seconds):
    assert throttling.delay_after(failure) == timedelta(seconds=seconds)


@pytest.mark.parametrize("failures", [0, 3, 4, 5, 8, 10, 11, 12, 50, 99])
def test_the_database_counts_and_delays_as_the_rule_says(recipient, failures):
    User.objects.filter(pk=recipient.pk).update(failures=failures)
    before = moments.now()
    assert throttling.reserve_guess(User.objects.filter(pk=recipient.pk))
    recipient.refresh_from_db()
    assert recipient.failures == failures + 1
    delay = throttling.delay_after(failures + 1)
    if not delay:
        assert recipient.next_try_at is None
    else:
        assert timedelta(0) <= recipient.next_try_at - before - delay < timedelta(seconds=5)


def test_the_delay_ends_when_it_ends(recipient):
    guess = User.objects.filter(pk=recipient.pk)
    guess.update(failures=5, next_try_at=moments.now() + timedelta(seconds=5))
    assert not throttling.reserve_guess(guess)
    guess.update(next_try_at=moments.now() - timedelta(milliseconds=2))
    assert throttling.reserve_guess(guess)


def test_the_right_password_waits_out_the_delay(client, recipient, try_log_in):
    for number in range(5):
        try_log_in(client, recipient.address, "wrong", **from_network(number))
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 200
    assert causes() == ["wrong"] * 5 + ["delayed"]
    User.objects.filter(pk=recipient.pk).update(next_try_at=moments.now() - timedelta(seconds=1))
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 302
    recipient.refresh_from_db()
    assert (recipient.failures, recipient.next_try_at) == (0, None)


def test_a_refused_guess_is_not_counted(client, recipient, try_log_in):
    User.objects.filter(pk=recipient.pk).update(failures=7, next_try_at=moments.now() + timedelta(hours=1))
    try_log_in(client, recipient.address, "wrong")
    recipient.refresh_from_db()
    assert recipient.failures == 7


def test_the_hundredth_guess_is_compared_and_the_next_is_not(client, recipient, try_log_in):
    User.objects.filter(pk=recipient.pk).update(failures=99)
    try_log_in(client, recipient.address, "wrong")
    User.objects.filter(pk=recipient.pk).update(next_try_at=None)
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 200
    assert causes() == ["wrong", "locked"]


def test_the_hundredth_may_be_the_right_one(client, recipient, try_log_in):
    User.objects.filter(pk=recipient.pk).update(failures=99)
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 302


def test_a_stranger_cannot_lock_the_owners_browser_out(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    User.objects.filter(pk=recipient.pk).update(failures=100, next_try_at=moments.now() + timedelta(hours=1))
    assert try_log_in(Client(), recipient.address, PASSWORD).status_code == 200
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 302
    recipient.refresh_from_db()
    assert recipient.failures == 100  # the owner's success gives a stranger no new guesses


def test_a_known_browser_has_a_count_of_its_own(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    for number in range(6):
        try_log_in(client, recipient.address, "wrong", **from_network(number))
    assert causes()[1:] == ["wrong"] * 5 + ["delayed"]
    assert KnownBrowser.objects.get().failures == 5
    recipient.refresh_from_db()
    assert recipient.failures == 0
    assert try_log_in(Client(), recipient.address, PASSWORD).status_code == 302


def test_a_known_browser_that_failed_a_hundred_times_is_a_stranger(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    KnownBrowser.objects.update(failures=100)
    User.objects.filter(pk=recipient.pk).update(failures=100)
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 200


def test_a_browser_known_to_one_person_is_a_stranger_to_another(client, recipient, second_recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    User.objects.filter(pk=second_recipient.pk).update(failures=100)
    assert try_log_in(client, second_recipient.address, PASSWORD).status_code == 200


def test_an_invented_device_cookie_is_no_known_browser(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    client.cookies["browser"] = client.cookies["browser"].value.rpartition(":")[0] + ":" + "A" * 43
    User.objects.filter(pk=recipient.pk).update(failures=100)
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 200


def test_a_temporary_password_is_always_a_way_back_in(client, newcomer, temporary_password, try_log_in):
    User.objects.filter(pk=newcomer.pk).update(failures=100, next_try_at=moments.now() + timedelta(hours=1))
    response = try_log_in(client, newcomer.address, temporary_password(newcomer))
    assert response.url == "/p/north/password/"


def test_an_administrator_clears_the_lock(client, recipient, administrator, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    client.post("/log-out/")
    User.objects.filter(pk=recipient.pk).update(failures=100, next_try_at=moments.now() + timedelta(hours=1))
    KnownBrowser.objects.update(failures=100)
    throttling.clear_lock(actor=administrator, user=recipient)
    assert try_log_in(Client(), recipient.address, PASSWORD).status_code == 302
    assert KnownBrowser.objects.filter(failures=0).count() == 2
    event = AuditEvent.objects.get(action="user.lock_cleared")
    assert (event.actor_id, event.about) == (administrator.pk, recipient.pk)


def test_the_thirty_first_try_of_a_minute_from_one_network_is_refused(client, recipient, try_log_in):
    for number in range(30):
        assert try_log_in(client, f"nobody{number}@outside.example", "wrong").status_code == 200
    response = try_log_in(client, recipient.address, PASSWORD)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert "wait a minute" in response.content.decode()
    assert LogInAttempt.objects.count() == 30
    assert try_log_in(client, recipient.address, PASSWORD, REMOTE_ADDR="10.1.1.1").status_code == 302


def test_the_minute_passes(client, recipient, try_log_in):
    for number in range(30):
        try_log_in(client, f"nobody{number}@outside.example", "wrong")
    oldest = LogInAttempt.objects.order_by("id")[0]
    LogInAttempt.objects.filter(pk=oldest.pk).update(at=moments.now() - timedelta(seconds=59))
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 429
    LogInAttempt.objects.filter(pk=oldest.pk).update(at=moments.now() - timedelta(seconds=61))
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 302


def test_a_clock_that_was_ahead_shuts_no_network_out(client, recipient, try_log_in):
    for number in range(30):
        try_log_in(client, f"nobody{number}@outside.example", "wrong")
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 429
    LogInAttempt.objects.update(at=moments.now() + timedelta(days=365))
    assert try_log_in(client, recipient.address, PASSWORD).status_code == 302


def test_one_ipv6_customer_is_one_network(client, recipient, try_log_in):
    for number in range(30):
        try_log_in(client, "nobody@outside.example", "wrong", REMOTE_ADDR=f"2001:db8:1:2::{number:x}")
    assert try_log_in(client, recipient.address, PASSWORD, REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
    assert try_log_in(client, recipient.address, PASSWORD, REMOTE_ADDR="2001:db8:1:3::1").status_code == 302


def test_a_forged_forwarding_header_buys_no_tries(client, recipient, try_log_in):
    for number in range(30):
        try_log_in(client, "nobody@outside.example", "wrong", headers={"x-forwarded-for": f"192.0.2.{number}"})
    response = try_log_in(client, recipient.address, PASSWORD, headers={"x-forwarded-for": "192.0.2.99"})
    assert response.status_code == 429


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_do_not_slip_past_the_account(recipient, try_log_in, in_parallel):
    try_log_in(Client(), "nobody@outside.example", "wrong")  # makes the keys that are made when first needed
    in_parallel(partial(try_log_in, Client(), recipient.address, "wrong", **from_network(index)) for index in range(12))
    recipient.refresh_from_db()
    assert recipient.failures == 5
    assert sorted(causes()[1:]) == ["delayed"] * 7 + ["wrong"] * 5


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_do_not_slip_past_the_network(organization, try_log_in, in_parallel):
    try_log_in(Client(), "nobody@outside.example", "wrong", REMOTE_ADDR="10.9.9.9")
    jobs = [partial(try_log_in, Client(), f"n{index}@outside.example", "wrong") for index in range(40)]
    statuses = [response.status_code for response in in_parallel(jobs)]
    assert statuses.count(200) <= 30
    assert statuses.count(200) + statuses.count(429) == 40
