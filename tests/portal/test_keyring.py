"""The key ring: what is sealed opens in its own place, under its own key, unchanged; nothing else does."""

import base64
import os
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from portal import keyring
from portal.ids import uuid7
from portal.keyring import KeyDestroyed, SealBroken
from portal.models import LeafKey, Organization, RetentionKey
from portal.new_master_key import new_master_key

KEY = bytes(range(32))
PLACE = ("message", uuid7(), "subject")
NOVEMBER = datetime(2026, 11, 24, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def test_what_is_sealed_opens_in_its_place():
    sealed = keyring.seal(KEY, b"your results", PLACE)
    assert b"results" not in sealed
    assert len(sealed) == 1 + 12 + len(b"your results") + 16
    assert keyring.unseal(KEY, sealed, PLACE) == b"your results"
    assert keyring.unseal(KEY, memoryview(sealed), PLACE) == b"your results"
    assert keyring.unseal_text(KEY, keyring.seal_text(KEY, "Grüße", PLACE), PLACE) == "Grüße"


def test_the_same_text_sealed_twice_looks_different():
    assert len({keyring.seal(KEY, b"yes", PLACE) for _ in range(1000)}) == 1000


def test_every_changed_byte_is_noticed():
    sealed = keyring.seal(KEY, b"your results", PLACE)
    for position in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[position] ^= 1 << bit
            with pytest.raises(SealBroken):
                keyring.unseal(KEY, bytes(changed), PLACE)


def test_what_is_truncated_or_lengthened_does_not_open():
    sealed = keyring.seal(KEY, b"your results", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            keyring.unseal(KEY, sealed[:length], PLACE)
    with pytest.raises(SealBroken):
        keyring.unseal(KEY, sealed + b"\0", PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("message", uuid7(), "subject"),
        (*PLACE[:2], "body"),
        ("quote", *PLACE[1:]),
        PLACE[:2],
        (*PLACE, ""),
        ("", *PLACE),
        (f"message{PLACE[1]}", "subject"),
    ],
)
def test_what_is_moved_does_not_open(elsewhere):
    with pytest.raises(SealBroken):
        keyring.unseal(KEY, keyring.seal(KEY, b"your results", PLACE), elsewhere)


def test_no_two_places_are_written_alike():
    places = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("a", "b", "c"), ("\0\1a", "bc")]
    assert len({keyring._associated_data(place) for place in places}) == len(places)


def test_another_key_does_not_open_it():
    with pytest.raises(SealBroken):
        keyring.unseal(keyring.new_key(), keyring.seal(KEY, b"your results", PLACE), PLACE)


@pytest.mark.parametrize("version", [b"\x00", b"\x02", b"\xff", b""])
def test_an_unknown_version_stays_closed(version):
    sealed = keyring.seal(KEY, b"your results", PLACE)
    with pytest.raises(SealBroken, match="unknown version"):
        keyring.unseal(KEY, version + (sealed[1:] if version else b""), PLACE)


# --- Master keys ----------------------------------------------------------------------------------------------


def master(key_id: str, byte: int) -> str:
    return f"{key_id}:{base64.b64encode(bytes([byte]) * 32).decode()}"


def test_the_first_master_key_writes_and_all_of_them_read(settings, organization):
    settings.MASTER_KEYS = master("old", 1)
    before = keyring.retention_key_for(organization, NOVEMBER)
    key = keyring.open_retention_key(before)
    settings.MASTER_KEYS = f"{master('new', 2)},{master('old', 1)}"
    assert keyring.open_retention_key(before) == key
    after = keyring.retention_key_for(organization, DECEMBER)
    assert (before.master_key_id, after.master_key_id) == ("old", "new")
    assert keyring.open_retention_key(after) != key


def test_without_its_master_key_nothing_opens(settings, organization):
    row = keyring.retention_key_for(organization, NOVEMBER)
    settings.MASTER_KEYS = master("other", 2)
    with pytest.raises(keyring.MasterKeysMissing, match="not in the key ring"):
        keyring.open_retention_key(row)


def test_another_key_under_the_same_name_opens_nothing(settings, organization):
    settings.MASTER_KEYS = master("main", 1)
    row = keyring.retention_key_for(organization, NOVEMBER)
    settings.MASTER_KEYS = master("main", 2)
    with pytest.raises(SealBroken):
        keyring.open_retention_key(row)


@pytest.mark.parametrize("name", ["main", "other"])
def test_nothing_new_is_sealed_under_a_ring_that_opens_nothing(settings, organization, name):
    settings.MASTER_KEYS = master("main", 1)
    keyring.retention_key_for(organization, NOVEMBER)
    keyring.leaf_key("credentials")
    settings.MASTER_KEYS = master(name, 2)
    for make in (lambda: keyring.retention_key_for(organization, DECEMBER), lambda: keyring.leaf_key("device_cookies")):
        with pytest.raises(keyring.MasterKeysMissing, match="not those"):
            make()
    settings.MASTER_KEYS = master("main", 1)
    assert keyring.open_retention_key(keyring.retention_key_for(organization, DECEMBER))
    assert keyring.leaf_key("device_cookies")


def test_a_single_altered_key_stops_no_new_one(settings, organization):
    keyring.retention_key_for(organization, NOVEMBER)
    keyring.leaf_key("credentials")
    LeafKey.objects.update(wrapped_key=b"\x01" + bytes(60))
    assert keyring.open_retention_key(keyring.retention_key_for(organization, DECEMBER))


def test_once_all_was_destroyed_any_ring_will_do(settings, organization):
    keyring.retention_key_for(organization, NOVEMBER)
    RetentionKey.objects.update(wrapped_key=None, destroyed_at=NOVEMBER)
    settings.MASTER_KEYS = master("other", 2)
    assert keyring.leaf_key("credentials")


def test_a_changed_key_file_is_read_again_at_once(settings, tmp_path):
    file = tmp_path / "master.keys"
    settings.MASTER_KEYS_FILE = str(file)
    file.write_text(master("one", 1) + "\n")
    assert list(keyring.master_keys()) == ["one"]
    file.write_text(f"{master('two', 2)}\n{master('one', 1)}\n")
    os.utime(file, ns=(1, 1))  # however coarse the file system's clock is
    assert list(keyring.master_keys()) == ["two", "one"]


def test_a_made_master_key_can_be_used(settings):
    settings.MASTER_KEYS = new_master_key()
    [(key_id, key)] = keyring.master_keys().items()
    assert key_id.isalnum()
    assert len(key) == 32
    assert new_master_key() != new_master_key()


@pytest.mark.parametrize(
    "text", ["", " \n", "short:AAAA", "nocolon", ":" + "A" * 43 + "=", "main:not base64!", "main:" + "A" * 44]
)
def test_what_is_no_master_key_is_refused(settings, text):
    settings.MASTER_KEYS = text
    with pytest.raises(keyring.MasterKeysMissing, match="new_master_key"):
        keyring.master_keys()


# --- Keys in the database -----------------------------------------------------------------------------------------


def test_a_month_has_one_key_per_organisation(organization, other_organization):
    first = keyring.retention_key_for(organization, datetime(2026, 11, 1, tzinfo=UTC))
    last = keyring.retention_key_for(organization, datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    assert first == last
    assert first.month == date(2026, 11, 1)
    theirs = keyring.retention_key_for(other_organization, NOVEMBER)
    assert keyring.open_retention_key(theirs) != keyring.open_retention_key(first)


def test_a_wrapped_key_does_not_open_in_another_row(organization):
    november = keyring.retention_key_for(organization, NOVEMBER)
    december = keyring.retention_key_for(organization, DECEMBER)
    december.wrapped_key = november.wrapped_key
    with pytest.raises(SealBroken):
        keyring.open_retention_key(december)


def test_a_wrapped_key_does_not_open_for_another_organisation(organization, other_organization):
    row = keyring.retention_key_for(organization, NOVEMBER)
    row.organization = other_organization
    with pytest.raises(SealBroken):
        keyring.open_retention_key(row)


def test_a_destroyed_key_is_told_apart(organization):
    row = keyring.retention_key_for(organization, NOVEMBER)
    RetentionKey.objects.filter(pk=row.pk).update(wrapped_key=None, destroyed_at=NOVEMBER)
    with pytest.raises(KeyDestroyed):
        keyring.open_retention_key(keyring.retention_key_for(organization, NOVEMBER))


def test_no_key_lies_in_the_database_in_the_clear(organization):
    row = keyring.retention_key_for(organization, NOVEMBER)
    assert keyring.open_retention_key(row) not in bytes(row.wrapped_key)
    key = keyring.leaf_key("credentials")
    assert key not in bytes(LeafKey.objects.get(purpose="credentials").wrapped_key)


def test_each_purpose_has_a_leaf_key_of_its_own(db):
    assert keyring.leaf_key("credentials") == keyring.leaf_key("credentials")
    assert keyring.leaf_key("credentials") != keyring.leaf_key("device_cookies")


def test_a_leaf_key_does_not_open_for_another_purpose(db):
    keyring.leaf_key("credentials")
    LeafKey.objects.filter(purpose="credentials").update(purpose="device_cookies")
    with pytest.raises(SealBroken):
        keyring.leaf_key("device_cookies")


def made_at_once(make: Callable[[], bytes]) -> set[bytes]:
    """The keys that several threads get that all need the one that is not there yet."""
    barrier, keys = threading.Barrier(6), set()

    def run() -> None:
        try:
            barrier.wait(5)
            keys.add(make())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return keys


@pytest.mark.django_db(transaction=True)
def test_a_months_key_made_by_many_at_once_is_one_key(organization: Organization):
    keys = made_at_once(lambda: keyring.open_retention_key(keyring.retention_key_for(organization, NOVEMBER)))
    assert len(keys) == 1
    assert RetentionKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_leaf_key_made_by_many_at_once_is_one_key():
    assert len(made_at_once(lambda: keyring.leaf_key("credentials"))) == 1
