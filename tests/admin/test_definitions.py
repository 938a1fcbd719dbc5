import pytest

from messaging.definitions import default_for
from messaging.models import Definition

from .conftest import page

FIELDS = {"description": "Read once", "position": 2, "expire_after_days": 7, "extensions": 0, "may_reply": "on"}


def test_the_default_is_there_from_the_start(north):
    html = north.client.get(page(Definition, "changelist")).content.decode()
    assert "Standard" in html
    assert Definition.objects.filter(organization=north.organization, is_default=True).count() == 1


def test_the_default_is_shown_and_cannot_be_changed_or_deleted(north):
    default = default_for(north.organization)
    html = north.client.get(page(Definition, "change", default.pk)).content.decode()
    assert "Standard" in html
    assert 'name="description"' not in html
    assert north.client.post(page(Definition, "change", default.pk), FIELDS).status_code == 403
    assert north.client.post(page(Definition, "delete", default.pk), {"post": "yes"}).status_code == 403
    assert Definition.objects.get(pk=default.pk).description == "Standard"


def test_one_is_added(north, events, administrator):
    north.client.post(page(Definition, "add"), {**FIELDS, "is_default": "on"})
    added = Definition.objects.get(description="Read once")
    assert added.organization == north.organization
    assert (added.expire_after_days, added.extensions, added.may_reply, added.may_print) == (7, 0, True, False)
    assert not added.is_default
    assert events(added) == [(administrator.address, "definition.created")]


def test_one_is_changed(north, events, administrator):
    north.client.post(page(Definition, "change", north.definition.pk), FIELDS)
    north.definition.refresh_from_db()
    assert north.definition.description == "Read once"
    assert events(north.definition) == [(administrator.address, "definition.changed")]


@pytest.mark.parametrize("wrong", [{"expire_after_days": 0}, {"expire_after_days": 3651}, {"description": ""}])
def test_values_out_of_bounds_are_refused(north, wrong):
    assert north.client.post(page(Definition, "add"), {**FIELDS, **wrong}).status_code == 200
    assert not Definition.objects.filter(description=FIELDS["description"]).exists()


def test_an_unused_one_is_deleted(north, events):
    north.client.post(page(Definition, "delete", north.definition.pk), {"post": "yes"})
    assert not Definition.objects.filter(pk=north.definition.pk).exists()
    assert events(north.definition)[-1][1] == "definition.deleted"
