"""The main job for real, in a browser from end to end: gunicorn, Celery's worker and clock, Redis, and a database that
all of them share."""

from pathlib import Path

import pytest
from django.conf import settings as portal_settings

from tests.browser.main_job import MainJob, Place, letter
from tests.conftest import PASSWORD
from tests.in_the_clear import files_holding

from .installation import database_holds

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def place(installation, server, sender) -> Place:
    return Place(
        f"{installation.url}/p/north/",
        sender.address,
        PASSWORD,
        lambda address: [mail.message for mail in list(server.mails) if mail.recipient == address],
    )


def test_from_the_first_letter_to_its_recall(installation, place, window, organization, tmp_path, tmp_path_factory):
    organization.undo_seconds = 10
    organization.save()
    overheard = installation.overhear()
    installation.worker()
    written = letter(tmp_path_factory.mktemp("letter"), "for-real")
    MainJob(place, written, window).go()

    scratch = tmp_path_factory.mktemp("scratch")
    assert database_holds(written.words, scratch) == []
    assert files_holding(Path(portal_settings.ATTACHMENTS_DIR), written.words) == []
    assert files_holding(tmp_path, written.words) == [], "Redis was told, or something was logged"
    # The search itself works.
    assert database_holds([written.to], scratch)
    assert files_holding(overheard.parent, ["deliver_due_mail"])
