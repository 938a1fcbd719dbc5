"""Wrong configuration is named, right configuration is not."""

import pytest
from django.core.checks import run_checks


def found() -> set[str]:
    return {message.id for message in run_checks() if message.id.startswith("portal.")}


def test_the_suites_own_settings_are_right():
    assert found() == set()


@pytest.mark.parametrize("keys", ["", "main:short", "no key at all"])
def test_master_keys_that_cannot_be_used(settings, keys):
    settings.MASTER_KEYS = keys
    assert found() == {"portal.E001"}


def test_a_key_file_that_is_not_there(settings, tmp_path):
    settings.MASTER_KEYS_FILE = str(tmp_path / "nothing")
    assert found() == {"portal.E001"}


@pytest.mark.parametrize("sender", ["", "nobody", "no-reply@localhost", "Portal <no-reply@>", "grüße@portal.example"])
def test_a_sender_mail_cannot_come_from(settings, sender):
    settings.DEFAULT_FROM_EMAIL = sender
    assert found() == {"portal.E002"}


def test_a_relay_in_the_clear(settings):
    settings.EMAIL_HOST = "relay.example.org"
    assert found() == {"portal.W001"}
    settings.EMAIL_USE_TLS = True
    assert found() == set()


def test_tls_that_nobody_vouches_for(settings):
    settings.SERVED_OVER_TLS = True
    assert found() == {"portal.W002"}
    settings.TRUSTED_PROXIES = 1
    assert found() == set()
