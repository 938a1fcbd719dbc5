"""An administrator of north, and every page of the console with rows of south.

Generated from what is registered: a model or a form field that is added later is in here without being named.
"""

import uuid

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Domain, ExternalDomain, User
from messaging.models import Definition
from portal.console import OrganizationScopedAdmin
from portal.models import Organization
from securemsg.admin import CONTENTS

from .conftest import page

LABELS = [model._meta.label for model in admin.site._registry]
each_model = pytest.mark.parametrize("label", LABELS)


def _ids(place, rows) -> set[str]:
    return {str(row.pk) for row in rows(place).values()}


def _leaks(response, place, rows) -> list[str]:
    text = response.content.decode()
    known = [
        *_ids(place, rows),
        place.organization.name,
        place.organization.slug + ".example",
        "south terms",
        "south people",
        "south folder",
        "SOUTH",
    ]
    return [word for word in known if word in text]


def _row(place, rows, label):
    return rows(place)[apps.get_model(label)]


def test_every_model_is_scoped_and_stands_in_the_contents():
    assert sorted(LABELS) == sorted(label for _, labels in CONTENTS for label in labels)
    for model_admin in admin.site._registry.values():
        assert isinstance(model_admin, OrganizationScopedAdmin)
        # Django fills the choices of a filter by relation from all organisations.
        for item in model_admin.list_filter:
            assert not isinstance(item, str) or not model_admin.opts.get_field(item).is_relation


@each_model
def test_lists_show_own_rows_only(north, south, rows, label):
    model = apps.get_model(label)
    model_admin = admin.site._registry[model]
    url = page(model, "changelist")
    columns = range(1, len(model_admin.list_display) + 1)
    for query in ["", "?q=south", "?q=example", "?all=", *(f"?o={column}" for column in columns)]:
        response = north.client.get(url + query, follow=True)
        assert response.status_code == 200
        assert not _leaks(response, south, rows)


@each_model
@pytest.mark.parametrize("view", ["change", "history", "delete"])
def test_a_foreign_row_is_as_absent_as_a_missing_one(north, south, rows, label, view):
    row = _row(south, rows, label)
    model = apps.get_model(label)
    missing = uuid.uuid4()
    for method in (north.client.get, north.client.post):
        foreign_answer = method(page(model, view, row.pk), {"post": "yes", "name": "Taken"})
        missing_answer = method(page(model, view, missing), {"post": "yes", "name": "Taken"})
        assert foreign_answer.status_code == missing_answer.status_code in (403, 404)
        # What is called by its id alone stands in the address that was asked for.
        assert str(row) == str(row.pk) or str(row) not in foreign_answer.content.decode()
    kept = type(row).objects.get(pk=row.pk)
    assert str(kept) == str(row)


@pytest.mark.parametrize("verb", ["disable", "enable", "end-sessions", "clear-lock"])
def test_verbs_on_a_foreign_user_do_nothing(north, south, events, verb):
    before = events(south.user)
    response = north.client.post(page(User, verb.replace("-", "_"), south.user.pk), {"confirmed": "yes"})
    assert response.status_code == 404
    assert events(south.user) == before
    south.user.refresh_from_db()
    assert south.user.disabled_at is None


@each_model
def test_every_choice_of_a_form_is_an_own_row(north, south, rows, administrator, label):
    foreign = _ids(south, rows)
    request = RequestFactory().get("/")
    request.user, request.session = administrator, {}
    model_admin = admin.site._registry[apps.get_model(label)]
    own = _row(north, rows, label)
    for row in (None, own) if model_admin.has_add_permission(request) else (own,):
        form = model_admin.get_form(request, row, change=row is not None)
        for field in form.base_fields.values():
            if isinstance(field, forms.ModelChoiceField):
                assert not foreign & {str(choice.pk) for choice in field.queryset}


@each_model
def test_a_forged_organization_is_not_taken(north, south, rows, label):
    model = apps.get_model(label)
    before = model.objects.filter(**_of(model, south)).count()
    posted = {
        "organization": south.organization.pk,
        "name": "forged.example",
        "slug": "forged",
        "address": "forged@north.example",
        "description": "Forged",
        "position": 1,
        "extensions": 1,
        "domain": south.internal.pk,
        "folder": south.folder.pk,
        "groups": [south.group.pk],
        "addresses": south.user.address,
        "is_superuser": "on",
        "user": south.user.pk,
    }
    for url in (page(model, "add"), page(model, "change", _row(north, rows, label).pk)):
        north.client.post(f"{url}?organization={south.organization.pk}", posted)
    assert model.objects.filter(**_of(model, south)).count() == before
    assert not User.objects.filter(is_superuser=True).exists()
    assert not User.objects.exclude(organization=south.organization).filter(domain=south.internal).exists()
    assert Organization.objects.count() == 2
    assert not Definition.objects.exclude(organization=south.organization).filter(folder=south.folder).exists()
    assert list(south.group.definition_folders.all()) == [south.folder]
    assert list(south.user.member_of.all()) == [south.group]


@each_model
def test_no_action_reaches_a_foreign_row(north, south, rows, label):
    row = _row(south, rows, label)
    posted = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes", "select_across": "1", "index": 0}
    north.client.post(page(apps.get_model(label), "changelist"), posted, follow=True)
    assert type(row).objects.filter(pk=row.pk).exists()


def _of(model, place):
    return {"pk": place.organization.pk} if model is Organization else {"organization": place.organization}


def test_completion_offers_own_rows_only(north, south, rows):
    asked = 0
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.is_relation and field.concrete:
                name = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
                response = north.client.get(reverse("admin:autocomplete"), {**name, "field_name": field.name})
                assert response.status_code in (200, 403, 404)
                assert not _leaks(response, south, rows)
                asked += response.status_code == 200
    assert asked


@pytest.mark.parametrize(
    "lookup",
    [
        "password__startswith=a",
        "sessions__session_key__startswith=a",
        "credentials__id__isnull=0",
        "organization__name__startswith=S",
        "organization__id__exact=1",
        "domain__organization__slug=south",
        "domain__users__address=a",
        "is_superuser__exact=1",
        "is_staff__exact=%00",
    ],
)
def test_look_ups_that_no_page_offers_are_refused(north, lookup):
    assert north.client.get(f"{page(User, 'changelist')}?{lookup}").status_code == 400


def test_a_foreign_domain_filters_nothing_in(north, south, rows):
    response = north.client.get(f"{page(User, 'changelist')}?domain__id__exact={south.internal.pk}")
    assert response.status_code == 200
    assert south.internal.name not in response.content.decode()
    assert response.context["cl"].result_count == 0


def test_the_operator_sees_every_organization(south, operator, log_in, rows, north):
    client = log_in(operator)
    for model, row in rows(south).items():
        assert client.get(page(model, "change", row.pk), follow=True).status_code == 200
        context = client.get(page(model, "changelist")).context
        shown = context["cl"].result_list if "cl" in context else context["result_list"]
        assert row.pk in {found.pk for found in shown}


def test_an_administrator_may_look_at_the_operator_and_no_more(north, operator, events):
    url = page(User, "change", operator.pk)
    response = north.client.get(url)
    assert response.status_code == 200
    assert not response.context["has_change_permission"]
    password = "a long and quiet river bends"
    assert north.client.post(url, {"new_password": password, "confirm_password": password}).status_code == 403
    for verb in ("disable", "end_sessions", "clear_lock"):
        assert north.client.post(page(User, verb, operator.pk), {"confirmed": "yes"}).status_code == 404
    assert events(operator) == []


# --- Every URL, as it is found ------------------------------------------------------------------------------


def _patterns_of(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _patterns_of(pattern.url_patterns)
        elif pattern.name:  # not Django's redirects from older addresses, and its catch-all
            yield pattern


PATTERNS = {pattern.name: set(pattern.pattern.regex.groupindex) for pattern in _patterns_of(admin.site.get_urls())}
# What a URL may be made of beside the id of a row of its model.
KINDS, APPS = {"kind"}, {"app_label"}
OF_A_ROW = sorted(name for name, parts in PATTERNS.items() if parts and parts not in (KINDS, APPS))


def _model_of(name: str):
    """The model that a URL belongs to: the longest that its name begins with."""
    labels = {f"{model._meta.app_label}_{model._meta.model_name}_": model for model in admin.site._registry}
    return labels[max((prefix for prefix in labels if name.startswith(prefix)), key=len)]


def _url(name: str, rows_by_model) -> str:
    parts = PATTERNS[name]
    if not parts:
        return reverse(f"admin:{name}")
    if parts == KINDS:
        return reverse(f"admin:{name}", args=["users"])
    if parts == APPS:
        return reverse(f"admin:{name}", args=["portal"])
    return reverse(f"admin:{name}", args=[rows_by_model[_model_of(name)].pk])


@pytest.mark.parametrize("name", OF_A_ROW)
def test_every_url_of_a_row_is_absent_for_anothers(north, south, rows, events, name):
    """As it is for a row that does not exist; and whatever is posted to it changes nothing."""
    row = rows(south)[_model_of(name)]
    before = type(row).objects.filter(pk=row.pk).values().get(), events(row)
    for method in (north.client.get, north.client.post):
        foreign = method(reverse(f"admin:{name}", args=[row.pk]), {"post": "yes", "reason": "Curious"})
        missing = method(reverse(f"admin:{name}", args=[uuid.uuid4()]), {"post": "yes", "reason": "Curious"})
        assert foreign.status_code == missing.status_code
        assert foreign.status_code in (403, 404, 405)
    assert (type(row).objects.filter(pk=row.pk).values().get(), events(row)) == before


def _every_url(place, rows) -> list[str]:
    by_model = rows(place)
    return [_url(name, by_model) for name in PATTERNS if name != "logout"] + ["/admin/nothing/"]


def test_a_visitor_is_sent_to_a_log_in_page(north, rows, client):
    for url in _every_url(north, rows):
        response = client.get(url, follow=True)
        assert response.redirect_chain
        assert not response.request["PATH_INFO"].startswith("/admin/")
        assert not client.post(url).url.startswith("/admin/")


def test_whoever_is_no_administrator_finds_nothing(north, rows, sender, log_in):
    client = log_in(sender)
    for url in _every_url(north, rows):
        assert client.get(url, follow=True).status_code == 404
        assert client.post(url, follow=True).status_code == 404


def test_an_administrator_who_is_one_no_more_is_out_on_the_next_request(north, administrator):
    assert north.client.get("/admin/").status_code == 200
    User.objects.filter(pk=administrator.pk).update(is_staff=False)
    assert north.client.get("/admin/", follow=True).status_code == 404


@pytest.mark.parametrize("name", ["password_change", "password_change_done", "view_on_site"])
def test_pages_of_djangos_that_step_around_ours_are_gone(north, name):
    paths = {"view_on_site": f"r/1/{north.organization.pk}"}
    assert north.client.get(f"/admin/{paths.get(name, name)}/").status_code == 404


def test_logging_out_is_the_portals(north):
    response = north.client.post("/admin/logout/")
    assert response.status_code == 307
    assert response.url == reverse("log_out")


def test_djangos_own_log_stays_empty(north):
    north.client.post(page(ExternalDomain, "add"), {"name": "new.example"})
    assert Domain.objects.filter(name="new.example").exists()
    assert not LogEntry.objects.exists()
