"""The console's words are for administrators: what stands beside a field was written to be read, and can be translated.

A help text or name of a model's field that is a plain string is a developer's note, or made of the column's name.
"""

from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field
from django.test import RequestFactory
from django.utils.functional import Promise

from accounts.models import User
from portal.console import OrganizationScopedAdmin
from portal.models import AuditEvent

from .conftest import page


def fields_shown(of_model: admin.ModelAdmin, request) -> Iterator[Field]:
    """The model's fields among what the operator, who sees most, sees in its list and on a row's page."""
    names = list(of_model.get_list_display(request))
    if of_model.fields or of_model.fieldsets:  # else its page is no form of Django's
        names += flatten_fieldsets(of_model.get_fieldsets(request))
    for name in dict.fromkeys(names):
        try:
            yield of_model.model._meta.get_field(name)
        except FieldDoesNotExist:
            continue  # of the form, or of the page itself: in its own words


def test_no_developers_note_is_shown(operator):
    request = RequestFactory().get("/admin/")
    request.user = operator
    shown = [field for of_model in admin.site._registry.values() for field in fields_shown(of_model, request)]
    assert len(shown) >= 60
    assert [field for field in shown if not isinstance(field.verbose_name, Promise)] == []
    assert [field for field in shown if field.help_text and not isinstance(field.help_text, Promise)] == []


def test_an_event_leads_to_all_about_the_same(north):
    html = north.client.get(page(AuditEvent, "change", north.event.pk)).content.decode()
    assert f"<h1>{north.event.action}</h1>" in html
    assert f'<a href="{page(AuditEvent, "changelist")}?q={north.event.about}">All that the audit log says</a>' in html


def test_history_is_offered_where_there_is_one(north):
    for row, told in ((north.message, True), (north.mail, False), (north.event, False), (north.attempt, False)):
        html = north.client.get(page(row, "change", row.pk)).content.decode()
        assert (page(row, "history", row.pk) in html) == told, row


def test_an_empty_list_says_what_will_be_here(log_in, operator):
    """In words, with no count of nothing; and a search that finds nothing leads back."""
    client, empty = log_in(operator), []
    for model, of_model in admin.site._registry.items():
        response = client.get(page(model, "changelist"))
        found = getattr(response, "context_data", None) or {}
        if "cl" not in found or found["cl"].result_count:
            continue
        empty.append(model._meta.label)
        html = response.content.decode()
        assert f'<p class="empty">{of_model.when_empty}</p>' in html, model
        assert of_model.when_empty != OrganizationScopedAdmin.when_empty, model
        assert "0 entries" not in html, model
    assert len(empty) >= 10


def test_a_search_that_finds_nothing_says_so_and_leads_back(log_in, administrator):
    html = log_in(administrator).get(page(User, "changelist"), {"q": "nobody of that name"}).content.decode()
    assert 'Nothing here fits what is looked for. <a href="?">Show all</a>' in html
    assert "0 entries" not in html
