"""Health, readiness and metrics: who may ask, what is said, and that asking costs little."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from portal import delivery, health, keyring, metrics, moments, rotation
from portal.models import LeafKey, MailHold, OutgoingMail, RetentionKey
from portal.new_master_key import new_master_key

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


def a_full_disk(enqueue, settings, monkeypatch):
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 1 << 62)


def a_disk_that_is_gone(enqueue, settings, monkeypatch):
    settings.ATTACHMENTS_DIR = settings.BASE_DIR / "no" / "such" / "folder"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (a_late_queue, "Mail is waiting and no worker takes it. See that a worker"),
        (a_full_disk, "nearly full or cannot be reached. Make room"),
        (a_disk_that_is_gone, "nearly full or cannot be reached. Make room"),
    ],
)
def test_not_ready_says_what_and_what_to_do_in_a_line(client, enqueue, settings, monkeypatch, trouble, words):
    trouble(enqueue, settings, monkeypatch)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert words in response.text
    assert len(response.text.splitlines()) == 1
    for secret in ("outside.example", str(settings.BASE_DIR)):
        assert secret not in response.text


DATABASE_AWAY = "The database does not answer. Bring it back; web and workers find it again by themselves."


def test_a_database_that_is_away_is_said_and_alive_is_still_said(client, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise health.Error("connection refused at db.internal")

    monkeypatch.setattr(health.connection, "cursor", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.text) == (503, f"{DATABASE_AWAY}\n")
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


# --- /readyz: the key ring ------------------------------------------------------------------------------------------

LACKS_ONE = "The key ring cannot be read, or lacks a master key that is in use; the log says which. Put the master keys"
HAS_ANOTHER = "The key ring does not open what was sealed with it: it has another key under the same name, or what is"
SAME_NAME = "test1:" + "B" * 43 + "="
OTHER_NAME = "another1:" + "B" * 43 + "="


def a_month(organization) -> None:
    keyring.retention_key_for(organization, moments.now())


def a_leaf(organization) -> None:
    keyring.leaf_key("probe")


def readiness(client) -> tuple[int, str]:
    health.problems.forget()
    response = client.get("/readyz")
    return response.status_code, response.text


@pytest.mark.parametrize("seal", [a_month, a_leaf])
@pytest.mark.parametrize(("ring", "words"), [(OTHER_NAME, LACKS_ONE), (SAME_NAME, HAS_ANOTHER)])
def test_whole_keys_that_are_not_those_it_was_sealed_with(client, organization, settings, caplog, seal, ring, words):
    seal(organization)
    right = settings.MASTER_KEYS
    settings.MASTER_KEYS = ring
    status, said = readiness(client)
    assert status == 503
    assert said.startswith(words)
    key_id, _, key = ring.partition(":")
    assert key_id not in said
    assert any(record.levelname == "CRITICAL" and "'test1'" in record.getMessage() for record in caplog.records)
    for text in (said, caplog.text):
        assert key not in text
        assert right.partition(":")[2] not in text
    settings.MASTER_KEYS = right
    assert readiness(client) == (200, "ready\n")


@pytest.mark.parametrize("content", [None, b"", b"half a line", "schlüssel:ü".encode(), b"\xff\xfe\x00"])
def test_a_file_of_keys_that_cannot_be_read(client, settings, tmp_path, content):
    file = tmp_path / "master.keys"
    if content is not None:
        file.write_bytes(content)
    settings.MASTER_KEYS_FILE = str(file)
    status, said = readiness(client)
    assert (status, said.startswith(LACKS_ONE), str(tmp_path) in said) == (503, True, False)


@pytest.mark.parametrize(("first", "later"), [(a_month, a_leaf), (a_leaf, a_month)])
def test_in_a_rotation_the_old_key_is_needed_to_its_end(client, organization, settings, first, later):
    old, new = settings.MASTER_KEYS, new_master_key()
    first(organization)
    settings.MASTER_KEYS = f"{new},{old}"
    later(organization)
    assert readiness(client) == (200, "ready\n")
    settings.MASTER_KEYS = new
    assert readiness(client)[0] == 503
    settings.MASTER_KEYS = f"{new},{old}"
    rotation.rewrap_all()
    settings.MASTER_KEYS = new
    assert readiness(client) == (200, "ready\n")


def test_a_destroyed_key_needs_no_master_key(client, organization, settings):
    a_month(organization)
    RetentionKey.objects.update(wrapped_key=None, destroyed_at=moments.now())
    settings.MASTER_KEYS = new_master_key()
    assert readiness(client) == (200, "ready\n")


def test_where_nothing_is_sealed_yet_it_is_ready_and_asking_seals_nothing(client):
    assert readiness(client) == (200, "ready\n")
    assert not LeafKey.objects.exists()


def test_however_many_keys_there_are_few_are_opened(organization, django_assert_num_queries):
    for number in range(30):
        keyring.retention_key_for(organization, moments.now() - timedelta(days=31 * number))
        keyring.leaf_key(f"probe {number}")
    with django_assert_num_queries(4):
        keyring.check_ring()


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
