"""Signed heads of the audit log, and the grants under which nobody but its owner can rewrite it."""

import base64
import json
import re
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from messaging import drafts, recall, retention, sending
from portal import audit, checkpoints
from portal.ids import uuid7
from portal.models import AuditEvent, AuditLink, LeafKey


@pytest.fixture
def file(settings, tmp_path) -> Path:
    settings.AUDIT_CHECKPOINTS_FILE = str(tmp_path / "checkpoints.jsonl")
    return Path(settings.AUDIT_CHECKPOINTS_FILE)


@pytest.fixture
def chained(organization, other_organization, sender):
    for one in (organization, other_organization):
        for number in range(3):
            audit.record(one, "thing.happened", number=number)
    audit.link_all(everything=True)
    return organization


def verified(file: Path) -> str:
    out = StringIO()
    call_command("verify_audit", checkpoints=file.open(), stdout=out)
    return out.getvalue()


def test_each_head_is_a_signed_line_that_is_only_appended(chained, file):
    assert checkpoints.write() == 2
    first = file.read_text()
    audit.record(chained, "thing.happened")
    audit.link_all(everything=True)
    checkpoints.write()
    assert file.read_text().startswith(first)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["sequence"] for line in lines if line["organization"] == str(chained.pk)] == [3, 4]
    assert "4 checkpoints agree" in verified(file)


def test_without_a_file_nothing_is_written(chained, settings):
    settings.AUDIT_CHECKPOINTS_FILE = ""
    assert checkpoints.write() == 0
    assert not LeafKey.objects.filter(purpose="audit_checkpoints").exists()


def test_the_end_of_a_chain_that_was_cut_off_is_named(chained, file):
    checkpoints.write()
    last = AuditLink.objects.filter(organization=chained).latest("sequence")
    event = last.event
    last.delete()
    event.delete()
    assert audit.verify(chained).intact  # the chain alone does not show it
    with pytest.raises(CommandError):
        verified(file)
    [problem] = checkpoints.verify(file.read_text().splitlines())[1]
    assert f"{chained.pk}: link 3 is gone" in problem


def test_the_first_link_of_a_chain_that_was_made_anew_is_named(chained, file):
    checkpoints.write()
    audit.record(chained, "thing.happened")
    audit.link_all(everything=True)
    checkpoints.write()
    AuditLink.objects.filter(organization=chained).delete()
    AuditEvent.objects.filter(organization=chained).order_by("id").first().delete()
    audit.record(chained, "thing.happened")
    audit.link_all(everything=True)
    assert audit.verify(chained).intact
    [problem] = checkpoints.verify(file.read_text().splitlines())[1]
    assert f"{chained.pk}: link 3 is not what it was" in problem


@pytest.mark.parametrize("change", [lambda line: line.replace('"sequence": 3', '"sequence": 2'), lambda line: "{}"])
def test_a_line_that_was_not_signed_here_is_named(chained, file, change):
    checkpoints.write()
    first, second = file.read_text().splitlines()
    good, broken = checkpoints.verify([first, change(second)])
    assert (good, broken) == (1, ["line 2 of the file was not signed here"])


def test_anybody_verifies_with_the_public_key(chained, file):
    checkpoints.write()
    out = StringIO()
    call_command("audit_public_key", stdout=out)
    key = load_pem_public_key(out.getvalue().encode())
    line = json.loads(file.read_text().splitlines()[0])
    signature = base64.b64decode(line.pop("signature"))
    key.verify(signature, json.dumps(line, sort_keys=True, separators=(",", ":")).encode())


# --- The grants, on a real PostgreSQL ---------------------------------------------------------------------------


@pytest.fixture
def app_role(transactional_db):
    """The rest of the test as a role of its own, as web and workers are."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    grants = re.sub(r"^--.*$", "", Path("deploy/audit_grants.sql").read_text(), flags=re.MULTILINE)
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE securemsg_test_app")
        cursor.execute(grants.replace(':"app"', "securemsg_test_app"))
        cursor.execute("SET ROLE securemsg_test_app")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("DROP OWNED BY securemsg_test_app")
        cursor.execute("DROP ROLE securemsg_test_app")


def test_web_and_workers_append_to_the_log_and_no_more(app_role, organization):
    audit.record(organization, "thing.happened")
    assert audit.link_all(everything=True) == 1
    assert audit.verify(organization).intact
    for forbidden in (
        lambda: AuditEvent.objects.update(action="thing.never_happened"),
        lambda: AuditLink.objects.update(sequence=7),
        lambda: AuditLink.objects.all().delete(),
        lambda: connection.cursor().execute("DELETE FROM portal_auditevent"),
        lambda: connection.cursor().execute("TRUNCATE portal_auditlink"),
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            forbidden()
    assert audit.verify(organization).intact


def test_the_ordinary_work_goes_on_under_the_grants(app_role, organization, sender, recipient, log_in):
    text = drafts.DraftText(to=recipient.address, subject="Subject", body="<p>Body</p>")
    entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
    message = sending.send_draft(actor=sender, entry=entry).message
    assert log_in(recipient).get("/inbox/").status_code == 200
    recall.recall_message(actor=sender, message=message)
    retention.purge_due()
    audit.link_all(everything=True)
    assert audit.verify(organization).intact
