import pytest
from django.urls import reverse

from messaging.definitions import default_for
from messaging.models import Definition
from portal.models import AuditEvent

from .conftest import page

FIELDS = {"description": "Read once", "expire_after_days": 7, "extensions": 0, "may_reply": "on"}


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


def test_a_new_one_stands_last(north):
    default = default_for(north.organization)
    Definition.objects.filter(pk=north.definition.pk).update(position=5)
    north.client.post(page(Definition, "add"), FIELDS)
    order = list(Definition.objects.filter(organization=north.organization))
    assert [one.description for one in order] == [default.description, "north terms", "Read once"]


def order_posted(definitions, positions) -> dict:
    posted = {"form-TOTAL_FORMS": len(positions), "form-INITIAL_FORMS": len(positions), "_save": "Save"}
    for n, (definition, position) in enumerate(zip(definitions, positions, strict=True)):
        posted |= {f"form-{n}-id": definition.pk, f"form-{n}-position": position}
    return posted


def test_the_order_is_changed_in_the_list_the_defaults_too(north, events, administrator):
    default = default_for(north.organization)
    posted = order_posted([default, north.definition], [2, 1])
    north.client.post(page(Definition, "changelist"), posted)
    assert list(Definition.objects.filter(organization=north.organization)) == [north.definition, default]
    assert events(default) == [(administrator.address, "definition.changed")]
    assert AuditEvent.objects.get(about=default.pk).details["fields"] == ["position"]


def test_no_foreign_row_is_put_in_order(north, south):
    default_for(north.organization)
    north.client.post(page(Definition, "changelist"), order_posted([south.definition, north.definition], [9, 8]))
    south.definition.refresh_from_db()
    assert south.definition.position == 0


def test_the_page_says_what_a_recipient_is_told_and_who_is_offered_it(north, sender, recipient):
    north.definition.may_print, north.definition.expire_after_days = False, 7
    north.definition.save()
    url = page(Definition, "change", north.definition.pk)
    html = north.client.get(url).content.decode()
    assert "Printing is not allowed." in html
    assert "The message can be read for 7 days." in html
    assert "Every licensed sender:" in html
    assert sender.address in html
    assert recipient.address not in html
    north.group.members.clear()
    north.definition.folder = north.folder
    north.definition.save()
    html = north.client.get(url).content.decode()
    assert "Nobody at present." in html
    assert sender.address not in html
    north.group.members.add(sender)
    assert sender.address in north.client.get(url).content.decode()


def test_one_in_a_folder_is_kept_from_becoming_everybodys(north):
    north.client.post(page(Definition, "change", north.definition.pk), {**FIELDS, "folder": north.folder.pk})
    north.definition.refresh_from_db()
    assert north.definition.folder == north.folder
    assert north.client.post(page(type(north.folder), "delete", north.folder.pk), {"post": "yes"}).status_code == 403


def test_the_operator_cannot_mix_organizations(north, south, operator, log_in):
    url = page(Definition, "change", south.definition.pk)
    response = log_in(operator).post(url, {**FIELDS, "folder": north.folder.pk})
    assert "This belongs to another organisation." in response.content.decode()
    south.definition.refresh_from_db()
    assert south.definition.folder is None


def test_rules_are_previewed_before_they_are_saved(north):
    url = reverse("admin:messaging_definition_preview")
    html = north.client.post(url, {"may_print": "on", "expire_after_days": 3}).content.decode()
    assert "Replies are not allowed." in html
    assert "You may print this message." in html
    assert "The message can be read for 3 days." in html
    assert "Printing is not allowed." in north.client.post(url, {"expire_after_days": "soon"}).content.decode()
    assert north.client.get(url).status_code == 405
    assert Definition.objects.filter(organization=north.organization).count() == 1


def test_a_new_ones_page_says_what_a_recipient_would_be_told(north):
    assert "You may reply to the sender or to everyone." in north.client.get(page(Definition, "add")).content.decode()
