import pytest
from django.db import connection, transaction

from accounts.correspondents import Correspondent, find_or_create
from accounts.models import Domain, User


def test_newcomers_and_their_domains_appear_by_themselves(organization):
    people = find_or_create(organization, {"new@far.example": "New", "other@north.example": ""})
    outsider, insider = (User.objects.get(id=person.id) for person in people.values())
    assert [person.is_internal for person in people.values()] == [False, True]
    assert (outsider.name, outsider.is_internal, outsider.is_licensed, outsider.may_log_on) == (
        "New",
        False,
        False,
        True,
    )
    assert not outsider.has_usable_password() and outsider.password_set_at is None
    assert insider.is_internal and not insider.is_licensed
    assert not Domain.objects.get(organization=organization, name="far.example").is_internal


def test_who_is_known_stays_as_they_are(organization, recipient):
    people = find_or_create(organization, {recipient.address: "Another Name"})
    assert people == {recipient.address: _correspondent(recipient)}
    assert people[recipient.address].name == "First Recipient"
    recipient.refresh_from_db()
    assert recipient.name == "First Recipient"


def _correspondent(user: User) -> Correspondent:
    zone = user.time_zone or user.organization.time_zone
    return Correspondent(user.id, user.address, user.name, user.is_internal, user.password_set_at, user.notify, zone)


def test_who_chose_a_time_zone_has_that_one_and_the_others_the_organisations(organization, recipient, second_recipient):
    User.objects.filter(pk=recipient.pk).update(time_zone="Europe/Athens")
    organization.time_zone = "Europe/Vienna"
    people = find_or_create(organization, {recipient.address: "", second_recipient.address: ""})
    assert [people[user.address].time_zone for user in (recipient, second_recipient)] == [
        "Europe/Athens",
        "Europe/Vienna",
    ]


def test_the_same_address_elsewhere_is_another_person(organization, stranger):
    person = find_or_create(organization, {stranger.address: ""})[stranger.address]
    assert person.id != stranger.id
    assert User.objects.get(id=person.id).organization == organization


@pytest.mark.parametrize("number", [1, 500])
def test_the_number_of_queries_does_not_grow(organization, number, django_assert_max_num_queries):
    people = {f"n{index}@d{index % 50}.example": "" for index in range(number)}
    # SQLite takes 999 values a statement, so Django splits a long insert of some columns there.
    columns = len(User._meta.concrete_fields)
    inserts = 1 + number // (999 // columns) if connection.vendor == "sqlite" else 1
    with django_assert_max_num_queries(5 + inserts):
        assert len(find_or_create(organization, people)) == number
    with django_assert_max_num_queries(1):
        assert len(find_or_create(organization, people)) == number


@pytest.mark.django_db(transaction=True)
def test_two_senders_in_one_moment_make_one_person(organization, in_parallel):
    def send() -> None:
        with transaction.atomic():
            find_or_create(organization, {"b@far.example": "", "a@far.example": ""})

    in_parallel([send] * 6)
    assert User.objects.count() == 2
