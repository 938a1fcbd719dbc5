"""Health, readiness and metrics: who may ask, what is said, and that asking costs little."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from portal import delivery, health, metrics, moments
from portal.models import MailHold, OutgoingMail

from .conftest import age

pytestmark = pytest.mark.django_db
TOKEN = "only-for-the-test-suite"


@pytest.fixture(autouse=True)
def nothing_kept():
    health.problems.forget()
    metrics.exposition.forget()
    yield
    health.problems.forget()
    metrics.exposition.forget()


# --- /healthz, /readyz ------------------------------------------------------------------------------------------


def test_alive_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "alive\n")


def test_ready(client, enqueue):
    enqueue()
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (200, "ready\n")


def a_late_queue(enqueue, settings, monkeypatch):
    age(enqueue("first@outside.example"), due_at=timedelta(minutes=16))


def a_key_ring_of_another(enqueue, settings, monkeypatch):
    health.keyring.leaf_key("health")
    settings.MASTER_KEYS = "other:" + "B" * 43 + "="


def a_full_disk(enqueue, settings, monkeypatch):
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 62)


def a_disk_that_is_gone(enqueue, settings, monkeypatch):
    settings.ATTACHMENTS_DIR = settings.BASE_DIR / "no" / "such" / "folder"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (a_late_queue, "Mail is waiting and no worker takes it."),
        (a_key_ring_of_another, "The key ring cannot be opened."),
        (a_full_disk, "The disk that attachments are on"),
        (a_disk_that_is_gone, "The disk that attachments are on"),
    ],
)
def test_not_ready_says_what_in_a_sentence(client, enqueue, settings, monkeypatch, trouble, words):
    trouble(enqueue, settings, monkeypatch)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert words in response.text
    assert len(response.text.splitlines()) == 1
    for secret in ("outside.example", "other:", str(settings.BASE_DIR)):
        assert secret not in response.text


def test_a_database_that_is_away_is_said_and_alive_is_still_said(client, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise health.Error("connection refused at db.internal")

    monkeypatch.setattr(health.connection, "cursor", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (503, "The database does not answer.\n")
    assert client.get("/healthz").status_code == 200


def test_however_often_one_asks_the_database_is_asked_once(client, django_assert_num_queries):
    client.get("/readyz")
    with django_assert_num_queries(0):
        for _ in range(20):
            client.get("/readyz")


def test_a_proxy_may_ask_without_tls(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 301


# --- /metrics ---------------------------------------------------------------------------------------------------


@pytest.fixture
def scrape(client, settings):
    """scrape() → {(name, labels): value}"""
    settings.METRICS_TOKEN = TOKEN

    def ask() -> dict:
        metrics.exposition.forget()
        response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        return {
            (sample.name.removeprefix("securemsg_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    return ask


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ünicode"])
def test_without_the_token_there_is_nothing(client, settings, shown):
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": shown.encode().decode("latin-1")}).status_code == 404


def test_with_no_token_set_nobody_reads_them(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_queue(scrape, enqueue, smtp):
    mail = enqueue()
    enqueue(due_at=moments.now() + timedelta(hours=1))
    age(mail, date=timedelta(minutes=10))
    found = scrape()
    assert found["mail_queue_depth", "due"] == 2
    assert 600 <= found["mail_queue_age_seconds",] < 660
    delivery.deliver_due()
    found = scrape()
    assert found["mail_queue_depth", "due"] == 1
    assert found["mail_queue_age_seconds",] == 0
    assert found["mail_outcomes_last_hour", "probe", "sent"] == 1
    assert 590 < found["mail_stage_seconds_last_hour", "waiting"] < 660
    assert 0 <= found["mail_stage_seconds_last_hour", "delivering"] < 60


def test_outcomes_by_class(scrape, enqueue, server):
    server.script["RCPT"] = lambda argument: "550 no" if "bad@" in argument else None
    enqueue()
    enqueue("bad@outside.example")
    mail = enqueue()
    delivery.deliver_due()
    OutgoingMail.objects.filter(pk=mail.pk).update(bounced_at=moments.now())
    long_ago = enqueue("old@outside.example")
    delivery.deliver_due()
    age(long_ago, finished_at=timedelta(hours=2))
    MailHold.objects.create(key="x", name="x", since=moments.now(), until=moments.now())
    found = scrape()
    assert found["mail_outcomes_last_hour", "probe", "sent"] == 2
    assert found["mail_outcomes_last_hour", "probe", "failed"] == 1
    assert found["mail_bounces_last_hour",] == 1
    assert found["mail_destinations_held",] == 1


def test_no_address_and_no_name_is_in_them(client, scrape, enqueue, server):
    server.script["RCPT"] = "550 first@outside.example is unknown"
    enqueue()
    delivery.deliver_due()
    scrape()
    assert b"outside" not in metrics.exposition()


def test_a_hold_that_nothing_waits_for_is_forgotten(enqueue, server):
    now = moments.now()
    for hours in (0, 2):
        MailHold.objects.create(key=str(hours), name="x", since=now, until=now - timedelta(hours=hours))
    delivery.deliver_due()
    assert [hold.key for hold in MailHold.objects.all()] == ["0"]
