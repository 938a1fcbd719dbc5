"""The second factor: enrolling, logging in with it, and that nothing steps around it."""

import base64
import re
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_otp.oath import hotp

from accounts import authenticator_apps, credentials, second_factor, throttling
from accounts.models import (
    LogInAttempt,
    PortalSession,
    RecoveryCode,
    SecondFactor,
    TotpDevice,
    User,
)
from portal import delivery, moments
from portal.models import AuditEvent, Organization
from tests.conftest import PASSWORD

PAGE, CODE = "/account/second-factor/", "/p/north/code/"
NEW = "seven quiet lanterns over water"


def code_of(user: User, *, steps: int = 0) -> str:
    """What the app shows now (or so many half minutes from now)."""
    return code_at(authenticator_apps.seed_of(TotpDevice.objects.get(user=user)), steps)


def code_at(seed: bytes, steps: int = 0) -> str:
    return f"{hotp(seed, int(moments.now().timestamp()) // 30 + steps):06d}"


def first_code(page: str) -> dict[str, str]:
    """The form of the page that offers a key, as somebody fills it in whose app has just read the key."""
    [text] = re.findall(r'class="reference">([A-Z2-7 ]{39})<', page)
    [offer] = re.findall(r'name="offer" value="([^"]+)"', page)
    return {"offer": offer, "code": code_at(base64.b32decode(text.replace(" ", "")))}


def enrol(user: User) -> list[str]:
    """Give the person an app; their recovery codes."""
    seed = authenticator_apps.new_seed()
    codes = second_factor.add_app(user, seed, code_at(seed), keep=None)
    TotpDevice.objects.update(last_step=-1)  # so that a test may use this half minute's code
    assert codes
    return codes


@pytest.fixture
def enrolled(recipient) -> list[str]:
    """The recipient has an app; returns the recovery codes."""
    return enrol(recipient)


@pytest.fixture
def at_the_code(enrolled, recipient, try_log_in) -> Client:
    """A browser in which the right password was given."""
    client = Client()
    assert try_log_in(client, recipient.address, PASSWORD).url == CODE
    return client


# --- Enrolling --------------------------------------------------------------------------------------------------


@pytest.fixture
def inside(recipient, try_log_in, client) -> Client:
    try_log_in(client, recipient.address, PASSWORD)
    return client


def test_an_app_is_added_by_its_first_code(inside, recipient, smtp):
    page = inside.get(f"{PAGE}app/").content.decode()
    assert "data:image/svg+xml" in page and "otpauth://totp/North%20Clinic%3Afirst%40outside.example?" in page
    form = first_code(page)
    page = inside.post(f"{PAGE}app/", form | {"code": "000000"}).content.decode()
    assert "That is not the code" in page
    assert first_code(page)["code"] == form["code"]  # the same key again: the app has read it already
    before = inside.cookies["session"].value
    page = inside.post(f"{PAGE}app/", first_code(page)).content.decode()
    codes = re.findall(r'class="reference">([0-9A-Z-]{19})<', page)
    assert len(set(codes)) == 10
    assert inside.cookies["session"].value != before
    assert inside.get("/inbox/").status_code == 200
    assert "10 are left" in inside.get(PAGE).content.decode()
    delivery.deliver_due()
    assert smtp.messages[-1]["Subject"] == "North Clinic: Your second factor was changed"
    assert AuditEvent.objects.filter(action="second_factor.app_added").exists()


def test_looking_at_a_key_writes_nothing(inside):
    inside.get(f"{PAGE}app/")  # makes the leaf key, once for the installation
    with CaptureQueriesContext(connection) as queries:
        inside.get(f"{PAGE}app/")
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    assert not TotpDevice.objects.exists()


def test_a_key_is_offered_for_half_an_hour_and_to_one_person(inside, recipient, second_recipient):
    seed, now = authenticator_apps.new_seed(), moments.now()
    offer = authenticator_apps.offer(recipient, seed, now)
    last = now + timedelta(minutes=30)
    assert authenticator_apps.offered_seed(recipient, offer, last - timedelta(seconds=2)) == seed
    assert authenticator_apps.offered_seed(recipient, offer, last) is None
    assert authenticator_apps.offered_seed(second_recipient, offer, now) is None
    for invented in ("", "x", "AQ==", offer[:-8] + "AAAAAAA="):
        assert authenticator_apps.offered_seed(recipient, invented, now) is None
        page = inside.post(f"{PAGE}app/", {"offer": invented, "code": code_at(seed)}).content.decode()
        assert "shown too long ago" in page
    assert not TotpDevice.objects.exists()


def test_the_key_stays_while_it_is_asked_who_this_is(inside, recipient):
    """Whoever takes six minutes to install the app has not scanned for nothing."""
    form = first_code(inside.get(f"{PAGE}app/").content.decode())
    forget_the_confirmation(inside)
    response = inside.post(f"{PAGE}app/", form)
    assert response.url == "/account/confirm/?next=%2Faccount%2Fsecond-factor%2Fapp%2F"
    inside.post(response.url, {"current_password": PASSWORD})
    again = first_code(inside.get(f"{PAGE}app/").content.decode())
    assert again["code"] == form["code"]
    inside.post(f"{PAGE}app/", again)
    assert second_factor.is_enrolled(recipient)


def test_neither_seed_nor_codes_are_in_the_clear(enrolled, recipient):
    device = TotpDevice.objects.get()
    seed = authenticator_apps.seed_of(device)
    assert len(seed) == 20 and seed not in bytes(device.sealed_seed)
    stored = {bytes(row.digest) for row in RecoveryCode.objects.all()}
    assert len(stored) == 10 and all(code.replace("-", "").encode() not in b"".join(stored) for code in enrolled)
    assert seed.hex() not in str(list(AuditEvent.objects.values()))


def test_other_sessions_end(inside, recipient, log_in):
    other = log_in(recipient)
    inside.post(f"{PAGE}app/", first_code(inside.get(f"{PAGE}app/").content.decode()))
    assert other.get("/inbox/").status_code == 302
    assert PortalSession.objects.filter(user=recipient).count() == 1


def forget_the_confirmation(client: Client, ago: timedelta = timedelta(minutes=5)) -> None:
    session = client.session
    session["confirmed_at"] = (moments.now() - ago).isoformat()
    session.save()


def test_it_asks_whether_it_is_still_you_after_five_minutes(inside, recipient):
    assert inside.get(f"{PAGE}app/").status_code == 200
    forget_the_confirmation(inside)
    response = inside.get(f"{PAGE}app/")
    assert response.url == "/account/confirm/?next=%2Faccount%2Fsecond-factor%2Fapp%2F"
    assert inside.post(response.url, {"current_password": PASSWORD}).url == f"{PAGE}app/"
    assert inside.get(f"{PAGE}app/").status_code == 200


@pytest.mark.parametrize(("ago", "asked"), [(timedelta(minutes=4, seconds=50), False), (timedelta(minutes=5), True)])
@pytest.mark.parametrize("path", ["app/", "passkey/", "recovery-codes/", "remove/"])
def test_every_change_asks(inside, recipient, path, ago, asked):
    forget_the_confirmation(inside, ago)
    method = inside.get if path in ("app/", "passkey/") else inside.post
    response = method(PAGE + path)
    assert (response.status_code == 302 and response.url.startswith("/account/confirm/")) is asked


# --- Logging in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_the_code_lets_in(at_the_code, recipient, steps):
    assert LogInAttempt.objects.latest("id").cause == "second_factor"
    for url in ("/inbox/", "/account/", "/admin/"):
        assert at_the_code.get(url).status_code == 302
    before = at_the_code.cookies["session"].value
    assert at_the_code.post(CODE, {"code": code_of(recipient, steps=steps)}).url == "/inbox/"
    assert at_the_code.cookies["session"].value != before
    assert at_the_code.get("/inbox/").status_code == 200


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1" * 40, "abcdef", "١٢٣٤٥٦", "\x00"])
def test_no_other_does(at_the_code, typed):
    assert at_the_code.post(CODE, {"code": typed}).status_code == 200
    assert at_the_code.get("/inbox/").status_code == 302


@pytest.mark.parametrize("steps", [-2, 2])
def test_nor_one_that_is_too_old_or_too_new(at_the_code, recipient, steps):
    assert at_the_code.post(CODE, {"code": code_of(recipient, steps=steps)}).status_code == 200


def test_it_may_be_typed_with_a_space(at_the_code, recipient):
    code = code_of(recipient)
    assert at_the_code.post(CODE, {"code": f" {code[:3]} {code[3:]} "}).status_code == 302


def test_the_message_of_the_link_is_opened_afterwards(enrolled, recipient, try_log_in, client):
    entry = "01890000-0000-7000-8000-000000000001"
    try_log_in(client, recipient.address, PASSWORD, url=f"/p/north/m/{entry}/")
    assert client.post(CODE, {"code": code_of(recipient)}).url == f"/messages/{entry}/arrive/"


def test_the_same_code_twice_is_accepted_once(at_the_code, enrolled, recipient):
    code = code_of(recipient)
    assert second_factor.verify_code(recipient, code)
    assert not second_factor.verify_code(recipient, code)
    assert at_the_code.post(CODE, {"code": code}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_same_code_at_once_is_accepted_once(enrolled, recipient, in_parallel):
    code = code_of(recipient)
    assert sum(in_parallel([partial(second_factor.verify_code, recipient, code)] * 8)) == 1


def test_a_recovery_code_works_once(at_the_code, enrolled, recipient):
    typed = enrolled[0].lower().replace("-", " ")
    assert at_the_code.post(CODE, {"code": typed}).url == "/inbox/"
    assert not second_factor.verify_code(recipient, enrolled[0])
    assert second_factor.verify_code(recipient, enrolled[1])
    assert RecoveryCode.objects.filter(used_at__isnull=True).count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_recovery_code_at_once_works_once(enrolled, recipient, in_parallel):
    assert sum(in_parallel([partial(second_factor.verify_code, recipient, enrolled[0])] * 8)) == 1


def test_codes_of_another_person_do_not(enrolled, second_recipient):
    assert not second_factor.verify_code(second_recipient, enrolled[0])


def test_guesses_are_delayed_and_end_at_a_hundred(enrolled, recipient):
    for _number in range(5):
        assert not second_factor.verify_code(recipient, "000000")
    assert not second_factor.verify_code(recipient, code_of(recipient))
    past = moments.now() - timedelta(seconds=1)
    SecondFactor.objects.update(failures=99, next_try_at=past)
    assert not second_factor.verify_code(recipient, "000000")
    SecondFactor.objects.update(next_try_at=past)
    assert not second_factor.verify_code(recipient, code_of(recipient))
    SecondFactor.objects.update(failures=99, next_try_at=past)
    assert second_factor.verify_code(recipient, code_of(recipient))
    assert SecondFactor.objects.get().failures == 0


def test_the_hundredth_wrong_one_is_told_and_an_administrator_opens_it_again(enrolled, recipient, administrator, smtp):
    past = moments.now() - timedelta(seconds=1)
    SecondFactor.objects.update(failures=99, next_try_at=past)
    assert not second_factor.verify_code(recipient, "000000")
    SecondFactor.objects.update(next_try_at=past)
    assert not second_factor.verify_code(recipient, enrolled[0]) and second_factor.is_locked(recipient)
    delivery.deliver_due()
    told = [message["Subject"] for message in smtp.messages]
    assert told.count("North Clinic: Your second factor is locked") == 1
    throttling.clear_lock(actor=administrator, user=recipient)
    assert second_factor.verify_code(recipient, enrolled[0])


def test_the_page_is_nothing_without_the_password(client, enrolled, recipient):
    assert client.get(CODE).url == "/p/north/"
    assert client.post(CODE, {"code": code_of(recipient)}).url == "/p/north/"


# --- Nothing steps around it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["link", "temporary password", "administrator"])
def test_a_reset_asks_for_it_first(enrolled, recipient, administrator, try_log_in, client, by):
    if by == "administrator":
        typed = credentials.issue(actor=administrator, user=recipient)
    else:
        credential = credentials.for_reset(recipient)
        typed = credentials.temporary_password(credential.pk)
    if by == "link":
        client.get(f"/p/north/reset/{credentials.link_token(credential.pk)}/")
    else:
        try_log_in(client, recipient.address, typed)
    form = {"new_password": NEW, "confirm_password": NEW}
    assert client.get("/p/north/password/").url == CODE
    assert client.post("/p/north/password/", form).url == CODE
    assert client.post(CODE, {"code": "000000"}).status_code == 200
    assert client.post("/p/north/password/", form).url == CODE
    recipient.refresh_from_db()
    assert recipient.check_password(PASSWORD)
    assert client.post(CODE, {"code": enrolled[0]}).url == "/p/north/password/"
    assert client.post("/p/north/password/", form).url == "/inbox/"
    assert client.get("/inbox/").status_code == 200


def test_the_password_page_is_no_way_round_after_the_password(at_the_code):
    form = {"new_password": NEW, "confirm_password": NEW}
    assert at_the_code.post("/p/north/password/", form).url == CODE


def test_it_is_still_you_only_with_it(at_the_code, enrolled, recipient):
    at_the_code.post(CODE, {"code": enrolled[0]})
    form = {"current_password": PASSWORD}
    assert at_the_code.post("/account/confirm/", form).status_code == 200
    assert at_the_code.post("/account/confirm/", form | {"code": "000000"}).status_code == 200
    assert at_the_code.post("/account/confirm/", form | {"code": enrolled[1]}).url == "/account/"


def test_changing_the_password_keeps_it(at_the_code, enrolled, recipient):
    Organization.objects.update(second_factor_recipients=True)
    at_the_code.post(CODE, {"code": enrolled[0]})
    form = {"current_password": PASSWORD, "new_password": NEW, "confirm_password": NEW}
    assert at_the_code.post("/account/password/", form).url == "/account/"
    assert at_the_code.get("/inbox/").status_code == 200


def test_it_can_be_removed_again(at_the_code, enrolled, recipient):
    at_the_code.post(CODE, {"code": enrolled[0]})
    assert at_the_code.post(f"{PAGE}remove/").url == PAGE
    assert not second_factor.is_enrolled(recipient)
    assert not RecoveryCode.objects.exists()


# --- Demanded by the organisation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "field"),
    [
        ("sender", "second_factor_senders"),
        ("recipient", "second_factor_recipients"),
        ("colleague", "second_factor_recipients"),
        ("administrator", "second_factor_administrators"),
    ],
)
def test_who_must_have_one_gets_no_further_without(request, log_in, who, field):
    person = request.getfixturevalue(who)
    client = log_in(person)
    wanted = "/admin/" if who == "administrator" else "/inbox/"
    assert client.get(wanted).status_code == 200
    Organization.objects.update(**{field: True})
    for url in (wanted, "/inbox/", "/account/", "/compose/", "/account/password/"):
        assert client.get(url).url == PAGE
    assert "demands a second factor" in client.get(PAGE).content.decode()
    assert client.post("/account/confirm/?next=/account/second-factor/app/", {"current_password": PASSWORD}).url
    client.post(f"{PAGE}app/", first_code(client.get(f"{PAGE}app/").content.decode()))
    assert client.get(wanted).status_code == 200


def test_others_go_on_as_before(log_in, sender):
    Organization.objects.update(second_factor_recipients=True, second_factor_administrators=True)
    assert log_in(sender).get("/inbox/").status_code == 200


def test_the_last_one_stays_where_it_is_demanded(at_the_code, enrolled, recipient):
    Organization.objects.update(second_factor_recipients=True)
    at_the_code.post(CODE, {"code": enrolled[0]})
    at_the_code.post(f"{PAGE}remove/")
    assert second_factor.is_enrolled(recipient)


@pytest.mark.parametrize("passkey", ["x", "-1", "99999999999999999999", "1", "²"])
def test_nobody_elses_is_removed(at_the_code, enrolled, recipient, passkey):
    at_the_code.post(CODE, {"code": enrolled[0]})
    at_the_code.post(f"{PAGE}remove/", {"passkey": passkey})
    assert second_factor.is_enrolled(recipient)


# --- Lost -------------------------------------------------------------------------------------------------------


def test_an_administrators_removal_takes_a_day_and_is_told(enrolled, recipient, administrator, smtp):
    second_factor.order_removal(actor=administrator, user=recipient)
    delivery.deliver_due()
    assert smtp.messages[-1]["Subject"] == "North Clinic: Your second factor will be removed"
    SecondFactor.objects.update(removal_due_at=moments.now() + timedelta(seconds=30))
    assert second_factor.is_enrolled(recipient)
    SecondFactor.objects.update(removal_due_at=moments.now() - timedelta(milliseconds=10))
    assert not second_factor.is_enrolled(recipient)
    assert not RecoveryCode.objects.exists() and not TotpDevice.objects.exists()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"second_factor.removal_ordered", "second_factor.removed_after_loss"} <= actions


def test_the_delay_is_a_day(enrolled, recipient, administrator):
    second_factor.order_removal(actor=administrator, user=recipient)
    left = SecondFactor.objects.get().removal_due_at - moments.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_a_code_calls_it_off(at_the_code, enrolled, recipient, administrator):
    second_factor.order_removal(actor=administrator, user=recipient)
    at_the_code.post(CODE, {"code": code_of(recipient)})
    assert SecondFactor.objects.get().removal_due_at is None


def test_the_administrator_calls_it_off(enrolled, recipient, administrator):
    second_factor.order_removal(actor=administrator, user=recipient)
    second_factor.cancel_removal(actor=administrator, user=recipient)
    assert SecondFactor.objects.get().removal_due_at is None
    assert AuditEvent.objects.filter(action="second_factor.removal_cancelled").exists()
