"""The log-in attempts and the audit log: looked up, never written by hand."""

import pytest

from accounts.models import LogInAttempt
from portal import audit
from portal.models import AuditEvent

from .conftest import page


def test_an_attempt_is_found_by_its_reference_code(north):
    found = north.client.get(page(LogInAttempt, "changelist"), {"q": north.attempt.reference.lower()})
    assert [row.pk for row in found.context["cl"].result_list] == [north.attempt.pk]
    html = north.client.get(page(LogInAttempt, "change", north.attempt.pk)).content.decode()
    assert "wrong password" in html
    assert north.attempt.address in html


def test_the_audit_log_is_found_by_action_and_by_who(north, administrator):
    for asked in ("user.changed", north.user.address, str(north.user.pk)):
        found = north.client.get(page(AuditEvent, "changelist"), {"q": asked}).context["cl"].result_list
        assert north.event.pk in {event.pk for event in found}


def test_details_are_text_however_they_look(north, administrator):
    AuditEvent.objects.filter(pk=north.event.pk).update(details={"name": "<script>alert(1)</script>"})
    for url in (page(AuditEvent, "changelist"), page(AuditEvent, "change", north.event.pk)):
        html = north.client.get(url).content.decode()
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html


def test_an_event_without_details_says_so_and_a_detail_without_a_value_too(north):
    AuditEvent.objects.filter(pk=north.event.pk).update(details={})
    url = page(AuditEvent, "change", north.event.pk)
    assert '<div class="readonly">-</div>' in north.client.get(url).content.decode()
    AuditEvent.objects.filter(pk=north.event.pk).update(details={"role": "auditor", "before": ""})
    assert "role: auditor · before: -" in north.client.get(url).content.decode()


def test_what_an_action_is_stands_in_an_administrators_words(north):
    html = north.client.get(page(AuditEvent, "change", north.event.pk)).content.decode()
    assert "What was done, as the search and the export name it." in html
    assert "past tense" not in html


@pytest.mark.parametrize(("asked", "counted"), [("user", "2 entries"), ("user.changed", "1 entry")])
def test_the_foot_of_a_list_counts_entries(north, asked, counted):
    audit.record(north.organization, "user.created", name="Somebody")
    html = north.client.get(page(AuditEvent, "changelist"), {"q": asked}).content.decode()
    foot = html.partition('<p class="paginator">')[2].partition("</p>")[0]
    assert counted in foot
    assert "audit log" not in foot


@pytest.mark.parametrize("model", [LogInAttempt, AuditEvent])
def test_nobody_writes_here(north, operator, log_in, model):
    row = {LogInAttempt: north.attempt, AuditEvent: north.event}[model]
    for client in (north.client, log_in(operator)):
        assert client.post(page(model, "add"), {}).status_code == 403
        assert client.post(page(model, "change", row.pk), {}).status_code == 403
        assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()
