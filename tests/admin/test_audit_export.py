import csv
import io
import json
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import roles
from portal import audit, audit_export
from portal.models import AuditEvent
from tests.conftest import PASSWORD

from .conftest import just_confirmed, page

URL = reverse("admin:portal_auditevent_export")


def exported(client, file_format: str, **asked) -> str:
    response = client.post(URL, {"file_format": file_format, **asked})
    assert response["Content-Disposition"].startswith('attachment; filename="audit-log-')
    return b"".join(response.streaming_content).decode()


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_hold_own_events_with_their_links(north, south):
    audit.link_all(everything=True)
    found = lines(exported(north.client, "jsonl"))
    assert {line["organization"] for line in found} == {str(north.organization.pk)}
    assert len(found) == AuditEvent.objects.filter(organization=north.organization).count()
    assert found[0]["sequence"] == 1
    assert found[0]["id"] == str(north.event.pk)
    # The export itself is the newest event, not linked yet.
    assert (found[-1]["action"], found[-1]["sequence"]) == ("audit_log.exported", None)


def test_csv_is_what_a_spreadsheet_reads(north):
    rows = list(csv.DictReader(io.StringIO(exported(north.client, "csv"))))
    assert tuple(rows[0]) == audit_export.COLUMNS
    assert rows[0]["action"] == "user.changed"
    assert json.loads(rows[0]["details"]) == {"name": "north user"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_formulas_are_made_harmless(north, start):
    evil = f'{start}HYPERLINK("https://x.example")'
    AuditEvent.objects.filter(pk=north.event.pk).update(actor_address=evil)
    rows = list(csv.DictReader(io.StringIO(exported(north.client, "csv"), newline="")))
    assert rows[0]["actor_address"] == f"'{evil}"


def test_it_is_narrowed(north, administrator):
    audit.record(north.organization, "message.recalled", actor=administrator)
    by_action = lines(exported(north.client, "jsonl", action="message."))
    assert [line["action"] for line in by_action] == ["message.recalled"]
    by_who = lines(exported(north.client, "jsonl", who="sender@"))
    assert [line["actor_address"] for line in by_who] == ["sender@north.example"]
    assert lines(exported(north.client, "jsonl", end="2001-01-01T00:00")) == []


def test_looking_exports_nothing_and_an_export_is_written_down(north, administrator):
    assert north.client.get(URL).status_code == 200
    assert not AuditEvent.objects.filter(action="audit_log.exported").exists()
    exported(north.client, "csv", action="user.")
    event = AuditEvent.objects.get(action="audit_log.exported")
    assert (event.actor_address, event.details) == (
        administrator.address,
        {"asked": ["file_format csv", "action user."]},
    )


def test_it_asks_who_it_is_and_gives_the_form_back(north):
    just_confirmed(north.client, timedelta(minutes=5))
    assert north.client.get(URL).url == f"/account/confirm/?next={quote(URL, safe='')}"
    response = north.client.post(URL, {"file_format": "jsonl", "action": "user.", "who": ""})
    assert response.url.startswith("/account/confirm/")
    assert not AuditEvent.objects.filter(action="audit_log.exported").exists()
    response = north.client.post(response.url, {"current_password": PASSWORD})
    html = north.client.get(response.url).content.decode()
    assert 'value="user."' in html and '<option value="jsonl" selected>' in html
    exported(north.client, "jsonl")


def test_wrong_fields_are_said(north):
    assert north.client.post(URL, {"file_format": "exe"}).status_code == 200
    assert north.client.post(URL, {"file_format": "csv", "start": "soon"}).status_code == 200


@pytest.mark.parametrize(
    ("role", "status"), [("", 200), ("auditor", 200), ("basic_administrator", 403), ("help_desk", 403)]
)
def test_who_may(north, make_user, log_in, administrator, role, status):
    user = make_user(north.organization, "other@north.example", is_staff=True)
    roles.give_role(actor=administrator, user=user, role=role)
    client = just_confirmed(log_in(user))
    assert client.get(URL).status_code == status
    assert client.post(URL, {"file_format": "csv"}).status_code == status
    if status == 200:
        assert URL in client.get(page(AuditEvent, "changelist")).content.decode()


@pytest.fixture
def a_file(north, tmp_path):
    for _n in range(3):
        audit.record(north.organization, "message.read", actor=north.user)
    audit.link_all(everything=True)
    file = tmp_path / "export.jsonl"
    file.write_text(exported(north.client, "jsonl"), encoding="utf-8")
    return file


def test_a_file_is_verified_without_the_database(a_file, capsys):
    call_command("verify_audit", file=a_file.open(encoding="utf-8"))
    assert "4 links of the file verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda found: found[1].update(actor_address="other@x.example"), "is not what was linked"),
        (lambda found: found[1].update(hash=found[0]["hash"]), "is not what was linked"),
        (lambda found: found.__setitem__(1, {"no": "line"}), "is not a line of an export"),
    ],
)
def test_a_changed_file_is_found_out(a_file, what, why):
    found = lines(a_file.read_text(encoding="utf-8"))
    what(found)
    a_file.write_text("".join(json.dumps(line) + "\n" for line in found), encoding="utf-8")
    with pytest.raises(CommandError, match=why):
        call_command("verify_audit", file=a_file.open(encoding="utf-8"))


def test_a_line_that_was_forged_anew_does_not_continue_the_chain(a_file):
    found = lines(a_file.read_text(encoding="utf-8"))
    forged = found[1]
    forged["actor_address"] = "other@x.example"
    content = {name: value for name, value in forged.items() if name not in ("hash", "previous_hash")}
    forged["hash"] = audit.content_hash(content, bytes.fromhex(forged["previous_hash"])).hex()
    a_file.write_text("".join(json.dumps(line) + "\n" for line in found), encoding="utf-8")
    with pytest.raises(CommandError, match="link 3: it does not continue the link before it"):
        call_command("verify_audit", file=a_file.open(encoding="utf-8"))


def test_one_taken_out_of_the_middle_is_no_longer_a_chain_but_the_rest_still_verifies(a_file):
    found = lines(a_file.read_text(encoding="utf-8"))
    del found[1]
    assert audit_export.verify(json.dumps(line) for line in found).links == 3
