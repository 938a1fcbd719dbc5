import pytest

from accounts.models import Group
from messaging.models import DefinitionFolder

from .conftest import page


def test_one_is_made_from_a_pasted_list(north, sender, colleague, events, administrator):
    addresses = f"Sender <{sender.address.upper()}>, {colleague.address}\n\n{sender.address};"
    north.client.post(page(Group, "add"), {"name": "Ward", "addresses": addresses})
    made = Group.objects.get(name="Ward")
    assert made.organization == north.organization
    assert set(made.members.all()) == {sender, colleague}
    assert events(made) == [(administrator.address, "group.created")]


def test_members_stand_on_its_page_and_are_changed_there(north, sender, colleague, events):
    url = page(Group, "change", north.group.pk)
    assert sender.address in north.client.get(url).content.decode()
    north.client.post(url, {"name": "North people", "addresses": colleague.address})
    north.group.refresh_from_db()
    assert (north.group.name, list(north.group.members.all())) == ("North people", [colleague])
    assert events(north.group)[-1][1] == "group.changed"


@pytest.mark.parametrize("wrong", ["nobody@north.example", "first@outside.example", "admin@south.example", "none"])
def test_whoever_is_no_internal_user_is_named(north, south, recipient, sender, wrong):
    url = page(Group, "change", north.group.pk)
    response = north.client.post(url, {"name": "North people", "addresses": f"{sender.address}\n{wrong}"})
    assert wrong in response.context["errors"].as_text()
    assert list(north.group.members.all()) == [sender]


def test_a_name_is_taken_once(north):
    response = north.client.post(page(Group, "add"), {"name": "north people", "addresses": ""})
    assert response.status_code == 200
    assert Group.objects.filter(organization=north.organization).count() == 1


def test_deleting_one_ends_what_it_was_offered(north, sender):
    from messaging.definitions import offered_to
    from messaging.models import Definition

    inside = Definition.objects.create(organization=north.organization, folder=north.folder, description="Inside")
    assert inside in offered_to(sender)
    north.client.post(page(Group, "delete", north.group.pk), {"post": "yes"})
    assert inside not in offered_to(sender)


def test_a_folder_says_who_it_is_offered_to(north):
    html = north.client.get(page(DefinitionFolder, "changelist")).content.decode()
    assert "north people" in html
    north.folder.groups.clear()
    html = north.client.get(page(DefinitionFolder, "changelist")).content.decode()
    assert "nobody: it has no groups" in html


def test_a_folders_groups_are_chosen(north):
    url = page(DefinitionFolder, "change", north.folder.pk)
    north.client.post(url, {"name": "Folder", "position": 0})
    assert not north.folder.groups.exists()
    north.client.post(url, {"name": "Folder", "position": 0, "groups": [north.group.pk]})
    assert list(north.folder.groups.all()) == [north.group]


@pytest.mark.parametrize("name", ["Ward 3, nurses", "Ward;3", "ward@3"])
def test_its_name_can_be_written_among_addresses(north, name):
    answer = north.client.post(page(Group, "add"), {"name": name, "addresses": ""})
    assert "people write the name among addresses" in answer.content.decode()
    assert not Group.objects.filter(name=name).exists()
