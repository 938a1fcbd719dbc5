"""A prepared query answers as the query set it is made of, for every value and in every thread."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models import Count, F
from django.db.models.functions import Now

from accounts.models import Domain, User
from portal.ids import uuid7
from portal.prepared import Prepared, PreparedUpdate

pytestmark = pytest.mark.django_db


def test_instances_with_what_they_refer_to(sender, recipient, django_assert_num_queries):
    found = Prepared(lambda pk: User.objects.select_related("organization", "domain").filter(pk=pk))
    for person in (sender, recipient, sender):
        with django_assert_num_queries(1):
            (row,) = found(pk=person.pk)
            assert (row, row.organization, row.domain) == (person, person.organization, person.domain)
            assert row.created_at == person.created_at
    assert found(pk=uuid7()) == []


def test_annotations_and_values(organization, sender, recipient, second_recipient):
    counted = Prepared(
        lambda organization, name: (
            Domain.objects.filter(organization=organization, is_internal=False)
            .exclude(name=name)
            .annotate(people=Count("users"), slug=F("organization__slug"), now=Now())
            .order_by("name")
            .values_list("name", "people", "slug")
        )
    )
    assert counted(organization=organization.id, name="none") == [
        ("elsewhere.example", 1, "north"),
        ("outside.example", 1, "north"),
    ]
    assert counted(organization=organization.id, name="outside.example") == [("elsewhere.example", 1, "north")]
    assert counted(organization=uuid7(), name="none") == []


def test_each_call_asks_the_database_anew(sender):
    found = Prepared(lambda pk: User.objects.filter(pk=pk))
    before = found(pk=sender.pk)[0]
    User.objects.update(name="Another name")
    assert found(pk=sender.pk)[0].name == "Another name"
    assert before.name != "Another name"


def test_a_value_goes_in_as_a_parameter(sender):
    found = Prepared(lambda address: User.objects.filter(address=address))
    assert found(address="' OR 1=1 --") == []
    assert found(address=sender.address) == [sender]


def test_a_value_that_the_query_does_not_hold_is_refused(sender):
    with pytest.raises(TypeError):
        Prepared(lambda pk, unused: User.objects.filter(pk=pk))(pk=sender.pk, unused="x")


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_share_a_compiler(organization, make_user):
    people = [make_user(organization, f"p{n}@outside.example") for n in range(8)]
    found = Prepared(lambda pk: User.objects.filter(pk=pk))

    def ask(person: User) -> bool:
        try:
            return all(found(pk=person.pk) == [person] for _ in range(50))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, people))


def test_an_update_changes_the_rows_it_names_and_says_how_many(sender, recipient, django_assert_num_queries):
    rename = PreparedUpdate(
        lambda pk, failures, name: (
            User.objects.filter(pk=pk, failures=failures),
            {"name": name, "failures": F("failures") + 1, "next_try_at": Now(), "disabled_at": None},
        )
    )
    for person, failures, changed in ((sender, 0, 1), (recipient, 0, 1), (recipient, 0, 0), (recipient, 1, 1)):
        with django_assert_num_queries(1):
            assert rename(pk=person.pk, failures=failures, name=f"{person.address} {failures}") == changed
    assert dict(User.objects.values_list("address", "name")) == {
        sender.address: f"{sender.address} 0",
        recipient.address: f"{recipient.address} 1",
    }
    assert rename(pk=uuid7(), failures=0, name="' OR 1=1 --") == 0


def test_an_update_that_does_not_hold_a_value_is_refused(sender):
    with pytest.raises(TypeError):
        PreparedUpdate(lambda pk, name: (User.objects.filter(pk=pk), {"failures": 0}))(pk=sender.pk, name="x")
