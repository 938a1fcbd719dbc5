import time

import pytest
from django.core.exceptions import ValidationError

from accounts import password_rules
from accounts.password_rules import criteria, is_common, is_personal, personal_words, validate

GOOD = ["correct horse battery staple", "seven quiet lanterns over water", "dF8#kq!2mZ0w_Lp9", "Přílišně žluťoučký kůň"]


@pytest.fixture
def person(organization, make_user):
    return make_user(organization, "jo.doe@outside.example", name="Josephine Doe-Winter")


@pytest.mark.parametrize("password", GOOD)
def test_good_ones_pass(person, password):
    validate(password, person)
    assert all(line.met for line in criteria(person, password, password))


@pytest.mark.parametrize(
    "password",
    [
        "password1234567",
        "passwordpassword",
        "Password!!!!!!!!!!",
        "p@ssw0rd12345678",
        "1234567890123456",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "abcdefghijklmnopq",
        "qwertyuiopasdfgh",
        "zyxwvutsrqponmlk",
        "1q2w3e4r5t6y7u8i9o",
        "111111222222333333",
        "sunshinesunshinesunshine",
    ],
)
def test_what_guessers_try_first_does_not(password):
    assert is_common(password)


@pytest.mark.parametrize("password", GOOD)
def test_a_good_one_is_not_taken_for_a_common_one(password):
    assert not is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        "JosephineWinter",
        "josephine-winter-1",
        "northclinic2026",
        "N0rth Cl1n1c 2026",
        "outside outside",
        "Winter2026!North",
    ],
)
def test_what_everybody_knows_about_a_person_does_not(person, password):
    assert is_personal(password, person)


def test_one_such_word_in_a_long_one_does_no_harm(person):
    assert not is_personal("a long winter without lanterns", person)
    assert not is_personal("nothing to do with anybody", person)


def test_short_words_are_not_held_against_anybody(person):
    assert personal_words(person) == ["josephine", "outside", "clinic", "winter", "north"]


@pytest.mark.parametrize(
    ("password", "met"),
    [
        ("x" * 14, False),
        ("ü" * 14, False),
        ("ü" * 15, True),
        ("u\u0308" * 14, False),
        ("🙂" * 15, True),
        (" " * 15, True),
    ],
)
def test_characters_are_counted_as_people_see_them(person, password, met):
    assert criteria(person, password, password)[0].met is met


def test_the_two_must_be_equal(person):
    assert criteria(person, "café " * 4, "cafe\u0301 " * 4)[-1].met is True
    assert criteria(person, GOOD[0], GOOD[0] + " ")[-1].met is False


def test_nothing_typed_is_nothing_judged(person):
    assert {line.met for line in criteria(person)} == {None}


def test_each_broken_rule_is_said(person):
    with pytest.raises(ValidationError) as caught:
        validate("kqzwinter", person)
    assert caught.value.messages == [
        "The password must be at least 15 characters long.",
        "The password must be more than your name, your email address or the organisation’s name.",
    ]
    with pytest.raises(ValidationError):
        validate("", person)


def test_judging_the_longest_takes_no_time(person):
    started = time.perf_counter()
    criteria(person, "ab" * 512, "ab" * 512)
    criteria(person, "a" * 1023 + "b", "a" * 1024)
    assert time.perf_counter() - started < 0.5


def test_the_common_list_is_there():
    assert len(password_rules._common_passwords()) > 15_000
