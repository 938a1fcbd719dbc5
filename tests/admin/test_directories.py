"""Users & Groups → Internal Directories / External Directories → domain → user."""

import re

import pytest

from accounts import correspondents
from accounts.models import Domain, ExternalDomain, InternalDomain, User

from .conftest import page


def test_the_contents_name_the_directories(north):
    html = north.client.get("/admin/").content.decode()
    for words in ("Users &amp; Groups", "Internal Directories", "External Directories"):
        assert words in html
    assert html.index("Internal Directories") < html.index("External Directories")


def test_the_way_leads_from_directory_to_domain_to_user(north, recipient):
    html = north.client.get(page(ExternalDomain, "changelist")).content.decode()
    assert "outside.example" in html
    assert ">north.example<" not in html

    response = north.client.get(page(ExternalDomain, "change", recipient.domain_id), follow=True)
    assert [str(user) for user in response.context["cl"].result_list] == [recipient.address]
    assert "External Directories" in response.content.decode()

    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    assert page(ExternalDomain, "change", recipient.domain_id) in html


@pytest.mark.parametrize("directory", [InternalDomain, ExternalDomain])
def test_a_domains_page_is_marked_in_the_menu_as_its_directorys(north, recipient, directory):
    domain = (north.internal if directory is InternalDomain else recipient.domain).pk
    html = north.client.get(page(directory, "change", domain), follow=True).content.decode()
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', html) == [page(directory, "changelist")]
    html = north.client.get(page(User, "changelist")).content.decode()
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', html) == [page(User, "changelist")]


def test_internal_domains_stand_apart(north, recipient):
    html = north.client.get(page(InternalDomain, "changelist")).content.decode()
    assert "north.example" in html
    assert "outside.example" not in html


def test_a_domain_appears_by_itself_when_first_written_to(north, organization):
    correspondents.find_or_create(organization, {"new@unheard-of.example": ""})
    assert "unheard-of.example" in north.client.get(page(ExternalDomain, "changelist")).content.decode()


def test_a_domain_is_added(north, events, administrator):
    north.client.post(page(InternalDomain, "add"), {"name": " @Bücher.Example "})
    domain = Domain.objects.get(name="xn--bcher-kva.example")
    assert domain.is_internal
    assert domain.organization == north.organization
    assert events(domain) == [(administrator.address, "domain.created")]


def test_a_domain_that_is_known_already_is_refused_with_where(north):
    response = north.client.post(page(InternalDomain, "add"), {"name": north.external.name})
    assert "This domain is in External Directories already." in response.content.decode()


def test_what_is_no_domain_is_refused(north):
    for name in ("", "no domain", "a@b", "localhost", "x" * 260 + ".example"):
        assert north.client.post(page(ExternalDomain, "add"), {"name": name}).status_code == 200
    assert not Domain.objects.filter(name__contains="domain").exists()


def test_the_same_domain_may_stand_in_two_organizations(north, south):
    north.client.post(page(ExternalDomain, "add"), {"name": south.internal.name})
    assert Domain.objects.filter(name=south.internal.name).count() == 2


def test_an_empty_directory_is_deleted(north, events):
    listing = north.client.get(page(ExternalDomain, "change", north.external.pk), follow=True).content.decode()
    assert page(ExternalDomain, "delete", north.external.pk) in listing
    assert north.client.get(page(ExternalDomain, "delete", north.external.pk)).status_code == 200
    north.client.post(page(ExternalDomain, "delete", north.external.pk), {"post": "yes"})
    assert not Domain.objects.filter(pk=north.external.pk).exists()
    assert events(north.external)[-1][1] == "domain.deleted"


def test_a_directory_with_users_is_not_deleted(north):
    url = page(InternalDomain, "delete", north.internal.pk)
    assert north.client.get(url).status_code == 403
    assert north.client.post(url, {"post": "yes"}).status_code == 403
    assert Domain.objects.filter(pk=north.internal.pk).exists()


def test_a_user_is_added_and_finds_its_directory(north, events, administrator):
    north.client.post(page(User, "add"), {"address": "New@North.Example", "name": "New", "allow_logon": "on"})
    user = User.objects.get(address="new@north.example")
    assert user.domain == north.internal
    assert not user.has_usable_password()
    assert not user.is_staff
    assert events(user) == [(administrator.address, "user.created")]


def test_a_user_on_a_domain_nobody_knows_is_external(north):
    north.client.post(page(User, "add"), {"address": "new@elsewhere.example"})
    user = User.objects.get(address="new@elsewhere.example")
    assert not user.is_internal
    assert not user.allow_logon


def test_an_address_is_added_once(north, sender):
    response = north.client.post(page(User, "add"), {"address": sender.address})
    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_what_is_no_address_is_refused(north):
    for address in ("", "nobody", "a@", "ü@north.example", "a@[127.0.0.1]"):
        assert north.client.post(page(User, "add"), {"address": address}).status_code == 200
    assert User.objects.filter(organization=north.organization).count() == 2


def test_a_user_is_found_by_address_and_by_name(north, sender, recipient):
    for asked in ("sender@", "Demo"):
        found = north.client.get(page(User, "changelist"), {"q": asked}).context["cl"].result_list
        assert [user.pk for user in found] == [sender.pk]


def test_lists_cost_the_same_for_one_and_for_many(north, make_user, django_assert_max_num_queries):
    for number in range(30):
        make_user(north.organization, f"user{number}@north.example")
    with django_assert_max_num_queries(8):
        north.client.get(page(User, "changelist"))
    with django_assert_max_num_queries(8):
        north.client.get(page(InternalDomain, "changelist"))
