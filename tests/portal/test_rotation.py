"""Master keys are rotated: keys are wrapped anew, nothing that hangs on them is touched, any number of times."""

import base64
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from portal import keyring, rotation
from portal.models import AuditEvent, LeafKey, RetentionKey

MONTHS = [datetime(2026, month, 1, tzinfo=UTC) for month in (9, 10, 11)]


def master(key_id: str, byte: int) -> str:
    return f"{key_id}:{base64.b64encode(bytes([byte]) * 32).decode()}"


@pytest.fixture
def keys(settings, organization) -> dict[str, bytes]:
    """Made under the old master key, of which a new one has taken the first place."""
    settings.MASTER_KEYS = master("old", 1)
    rows = [keyring.retention_key_for(organization, month) for month in MONTHS]
    made = {str(row.month): keyring.open_retention_key(row) for row in rows} | {"leaf": keyring.leaf_key("probe")}
    settings.MASTER_KEYS = f"{master('new', 2)},{master('old', 1)}"
    return made


def opened() -> dict[str, bytes]:
    rows = RetentionKey.objects.filter(destroyed_at__isnull=True)
    return {str(row.month): keyring.open_retention_key(row) for row in rows} | {"leaf": keyring.leaf_key("probe")}


def test_it_wraps_every_key_anew_and_changes_none(keys, settings, organization):
    assert rotation.rewrap_all() == 4
    settings.MASTER_KEYS = master("new", 2)
    assert opened() == keys
    events = AuditEvent.objects.filter(organization=organization, action="retention_key.rewrapped")
    assert events.count() == 3


def test_it_can_be_run_again(keys):
    rotation.rewrap_all()
    wrapped = list(RetentionKey.objects.order_by("id").values_list("wrapped_key", flat=True))
    assert rotation.rewrap_all() == 0
    assert [bytes(key) for key in wrapped] == [
        bytes(key) for key in RetentionKey.objects.order_by("id").values_list("wrapped_key", flat=True)
    ]


def test_it_goes_on_where_one_was_killed(keys, settings, monkeypatch):
    store, count = rotation._store, 0

    def killed(row):
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        store(row)

    monkeypatch.setattr(rotation, "_store", killed)
    with pytest.raises(KeyboardInterrupt):
        rotation.rewrap_all()
    assert opened() == keys
    monkeypatch.setattr(rotation, "_store", store)
    assert rotation.rewrap_all() == 2
    settings.MASTER_KEYS = master("new", 2)
    assert opened() == keys


def test_a_destroyed_key_stays_destroyed(keys):
    gone = RetentionKey.objects.order_by("month").first()
    RetentionKey.objects.filter(id=gone.id).update(wrapped_key=None, destroyed_at=MONTHS[-1])
    assert rotation.rewrap_all() == 3
    gone.refresh_from_db()
    assert gone.wrapped_key is None


def test_without_the_old_master_key_nothing_is_changed(keys, settings):
    settings.MASTER_KEYS = master("new", 2)
    with pytest.raises(keyring.MasterKeysMissing):
        rotation.rewrap_all()
    assert not RetentionKey.objects.filter(master_key_id="new").exists()
    assert not LeafKey.objects.filter(master_key_id="new").exists()


def test_the_command_says_what_is_needed_no_more(keys, settings):
    said = StringIO()
    call_command("rewrap_keys", stdout=said)
    assert "4 keys wrapped anew under new." in said.getvalue()
    assert "Master key old wraps nothing now." in said.getvalue()
