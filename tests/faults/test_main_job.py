"""The main job for real: gunicorn, Celery's worker and clock, Redis, and a database that all of them share. In a
browser from end to end; and once to 200 recipients, with the worker killed in the middle."""

from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings as portal_settings
from playwright.sync_api import expect

from portal.models import OutgoingMail
from tests.browser import steps
from tests.browser.main_job import MainJob, Place, letter
from tests.conftest import PASSWORD
from tests.in_the_clear import files_holding

from .installation import database_holds
from .processes import wait_until
from .test_outbox import CONCURRENCY, SETTLED_WITHIN, take_your_time, unfinished

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


def test_a_worker_killed_in_the_middle_of_200_notifications(installation, place, window, server):
    server.script["DOT"] = take_your_time
    worker = installation.worker(CONCURRENCY)
    page = window()
    page.goto(place.login_url)
    steps.log_in(page, place.sender, place.password)
    steps.write(page, to="", subject="To all of you", body="At once")
    page.get_by_text("Cc and Bcc").click()
    page.get_by_label("Bcc").fill(", ".join(f"r{number}@outside.example" for number in range(200)))
    steps.send(page, confirm=True)
    wait_until(lambda: len(server.seen) >= 60, 30)
    worker.kill()
    assert unfinished() > 100
    installation.worker(CONCURRENCY)
    wait_until(lambda: unfinished() == 0, SETTLED_WITHIN, unfinished)

    assert_each_arrived_once_save_where_doubtful(server)
    steps.open_message(page, "Sent Items", "To all of you")
    history = page.get_by_role("region", name="What has become of it")
    expect(history.locator(".pill", has_text="Notified")).to_have_count(200)


def assert_each_arrived_once_save_where_doubtful(server) -> None:
    """FAULTS.md, I2 to I4 and I6."""
    rows = {row.message_id: row for row in OutgoingMail.objects.all()}
    assert Counter((row.kind, row.state) for row in rows.values()) == {
        ("notification", OutgoingMail.State.SENT): 200,
        ("password_notification", OutgoingMail.State.SENT): 200,
    }
    arrived = Counter((mail.message["Message-ID"], mail.recipient) for mail in server.seen)
    assert set(arrived) == {(row.message_id, row.to_address) for row in rows.values()}, "lost or unexpected"
    doubtful = [row for row in rows.values() if row.ambiguous_at]
    assert len(doubtful) <= CONCURRENCY
    twice = {message_id for (message_id, _recipient), count in arrived.items() if count > 1}
    assert twice <= {row.message_id for row in doubtful}
    assert max(arrived.values()) <= 2
