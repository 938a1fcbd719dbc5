"""Completion of addresses while typing: static/js/complete.js."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import Group
from messaging.models import Message

from .good import assert_good


@pytest.fixture
def page(open_browser, sender, colleague, make_user, organization) -> Page:
    make_user(organization, "anna@north.example", name="Anna North")
    make_user(organization, "joanna@north.example", name="North, Joanna")
    Group.objects.create(organization=organization, name="Annual review")
    page = open_browser(sender, viewport={"width": 360, "height": 740})
    page.goto(reverse("compose"))
    return page


def type_into(page: Page, name: str, text: str) -> None:
    page.locator(f"[name={name}]").press_sequentially(text)


def options(page: Page):
    return page.get_by_role("option").locator("visible=true")


def test_arrows_and_enter_choose(page):
    type_into(page, "to", "ann")
    expect(options(page)).to_have_count(3)
    expect(page.get_by_text("3 people found")).to_be_attached()
    assert_good(page)
    page.keyboard.press("ArrowDown")
    active = page.locator("[name=to]").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}[aria-selected=true]").count() == 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("[name=to]")).to_have_value("Anna North <anna@north.example>, ")
    assert options(page).count() == 0
    assert page.locator("[name=to]").get_attribute("aria-expanded") == "false"
    assert page.evaluate("document.activeElement.name") == "to"


def test_the_item_at_the_caret_is_completed_and_the_others_stay(page):
    page.fill("[name=to]", '"Last, First" <x@y.example>, an; z@y.example')
    page.evaluate("document.querySelector('[name=to]').setSelectionRange(31, 31)")
    type_into(page, "to", "n")
    expect(options(page)).to_have_count(3)
    page.get_by_role("option", name="Joanna").click()

    expect(page.locator("[name=to]")).to_have_value(
        '"Last, First" <x@y.example>, "North, Joanna" <joanna@north.example>, z@y.example'
    )


def test_enter_without_a_choice_closes_and_sends_nothing(page):
    type_into(page, "to", "ann")
    expect(options(page)).to_have_count(3)
    page.keyboard.press("Enter")

    assert options(page).count() == 0
    assert page.url.endswith(reverse("compose"))
    assert not Message.objects.exists()


def test_tab_takes_the_choice_and_goes_on(page):
    type_into(page, "to", "anna@")
    expect(options(page)).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")

    expect(page.locator("[name=to]")).to_have_value("Anna North <anna@north.example>, ")
    assert page.evaluate("document.activeElement.name") != "to"


def test_tab_without_a_choice_leaves_what_was_typed(page):
    type_into(page, "to", "anna@")
    expect(options(page)).to_have_count(2)
    page.keyboard.press("Tab")

    expect(page.locator("[name=to]")).to_have_value("anna@")
    assert options(page).count() == 0


def test_escape_closes_and_a_letter_opens_again(page):
    type_into(page, "to", "ann")
    expect(options(page)).to_have_count(3)
    page.keyboard.press("Escape")
    assert options(page).count() == 0
    type_into(page, "to", "a")
    expect(options(page)).to_have_count(2)


def test_copies_are_completed_too(page):
    page.get_by_text("Cc and Bcc").click()
    for name in ("cc", "bcc"):
        type_into(page, name, "colle")
        expect(options(page)).to_have_count(1)
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.locator(f"[name={name}]")).to_have_value("Colleague <colleague@north.example>, ")


def test_when_it_fails_one_goes_on_typing(page, complaints):
    page.route("**/complete/", lambda route: route.abort())
    type_into(page, "to", "anna@north.example")
    page.wait_for_timeout(400)

    expect(page.locator("[name=to]")).to_have_value("anna@north.example")
    assert options(page).count() == 0
    complaints.clear()
