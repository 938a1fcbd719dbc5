"""The small elements: portal/templatetags/ui.py."""

from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone, translation

from accounts.models import User
from portal.models import Organization


@pytest.fixture(autouse=True)
def british():
    with translation.override("en-gb"):
        yield


def render(source: str, **context) -> str:
    return Template("{% load ui %}" + source).render(Context(context)).strip()


def in_zone(name: str) -> Organization:
    return Organization(name="North Clinic", slug="north", time_zone=name)


class AddressForm(forms.Form):
    address = forms.EmailField(label="Email Address", help_text="As in the notification.")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)


def test_a_moment_says_its_zone():
    html = render("{% moment at %}", at=datetime(2026, 7, 1, 12, 0, tzinfo=UTC), organization=in_zone("Europe/London"))

    assert html == '<time datetime="2026-07-01T13:00:00+01:00">1 Jul 2026, 13:00 BST</time>'


def test_a_zone_without_letters_says_how_far_it_is_from_utc():
    html = render(
        "{% moment at %}", at=datetime(2026, 7, 1, 12, 0, tzinfo=UTC), organization=in_zone("America/Sao_Paulo")
    )

    assert "09:00 UTC-03:00" in html


def test_a_moment_may_come_as_text():
    assert "12:00 UTC" in render("{% moment at %}", at="2026-07-01T12:00:00+00:00")


@pytest.mark.parametrize(
    ("age", "form"), [(timedelta(0), "H:i"), (timedelta(days=370), "d/m/Y")], ids=["today", "another year"]
)
def test_a_short_moment_is_as_short_as_it_can_be(age, form):
    at = timezone.now() - age

    html = render('{% moment at "short" %}', at=at, organization=in_zone("UTC"))

    assert f">{at:{'%H:%M' if form == 'H:i' else '%d/%m/%Y'}}</time>" in html
    assert 'title="' in html


# A Wednesday.
NOW = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts_on", "at", "shown"),
    [
        ("", "2026-07-13", "Mon 09:05"),  # as British weeks begin
        ("", "2026-07-12", "12 Jul"),
        ("monday", "2026-07-12", "12 Jul"),
        ("sunday", "2026-07-12", "Sun 09:05"),
        ("sunday", "2026-07-11", "11 Jul"),
        ("saturday", "2026-07-11", "Sat 09:05"),
        ("saturday", "2026-07-17", "Fri 09:05"),
        ("saturday", "2026-07-18", "18 Jul"),
    ],
)
def test_a_short_moment_of_this_week_says_its_weekday(monkeypatch, starts_on, at, shown):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    reader = User(week_starts_on=starts_on, time_zone="UTC")

    html = render('{% moment at "short" %}', at=f"{at}T09:05:00+00:00", user=reader)

    assert f">{shown}</time>" in html


def test_a_field_is_tied_to_its_help_and_its_errors():
    html = render("{% field form.address %}", form=AddressForm({"address": "nonsense"}))

    assert '<label class="field__label" for="id_address">Email Address</label>' in html
    assert 'aria-describedby="id_address_helptext id_address_error"' in html
    assert 'id="id_address_helptext"' in html
    assert 'id="id_address_error"' in html
    assert 'aria-invalid="true"' in html


def test_the_pages_hint_stands_where_the_form_has_no_help():
    html = render('{% field form.password hint="Not the mailbox’s." %}', form=AddressForm())

    assert 'aria-describedby="id_password_helptext"' in html
    assert "Not the mailbox’s." in html


@pytest.mark.parametrize(
    ("html", "own"),
    [
        ("<p>plain</p>", False),
        ('<p style="margin:0">plain</p>', False),
        ('<p style="COLOR: #1F497D">blue</p>', True),
        ('<td bgcolor="yellow">x</td>', True),
        ('<p style="background:#fff">x</p>', True),
    ],
)
def test_has_own_colours(html, own):
    assert render("{{ html|has_own_colours }}", html=html) == str(own)


def test_words_about_colours_are_no_colours():
    assert render("{{ html|has_own_colours }}", html="<p>The colour, or color, of the background.</p>") == "False"


def test_a_state_is_said_in_words():
    html = render('{% include "ui/state.html" with state="expired" %}')

    assert html == '<span class="pill pill--expired">Expired</span>'


def test_an_unknown_state_gets_the_plain_shape():
    assert render("{{ state|pill_shape }}", state="unreadable") == "plain"
