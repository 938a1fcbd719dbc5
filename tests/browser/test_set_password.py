"""The ticks under the fields: static/js/set_password.js, and without it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.conftest import PASSWORD

GOOD = "seven green bottles on a wall"


@pytest.fixture
def enter(open_browser, recipient):
    """enter(**context): the recipient's window, at the page where a temporary password leads."""
    recipient.temporary_until = timezone.now() + timedelta(hours=24)
    recipient.save()

    def open_page(**options):
        page = open_browser(**options)
        page.goto("/p/north/")
        page.fill("[name=address]", recipient.address)
        page.click("text=Next")
        page.fill("[name=password]", PASSWORD)
        page.click("button:has-text('Log In')")
        page.wait_for_url("**/password/")
        return page

    return open_page


def ticks(page) -> dict[str, str]:
    found = page.locator("[data-criterion]").all()
    return {item.get_attribute("data-criterion"): item.get_attribute("data-met") for item in found}


def test_nothing_is_judged_before_anything_is_typed(enter):
    assert set(ticks(enter()).values()) == {"unknown"}


def test_ticks_as_one_types(enter):
    page = enter()
    page.fill("[name=new_password]", "too short")
    assert ticks(page) == {"length": "no", "not_common": "unknown", "not_personal": "yes", "equal": "unknown"}
    expect(page.locator("[data-criterion=not_common]")).to_have_attribute("data-met", "yes")
    page.fill("[name=new_password]", "NorthClinic-first-1")
    assert ticks(page)["not_personal"] == "no"
    page.fill("[name=new_password]", GOOD)
    page.fill("[name=confirm_password]", GOOD[:-1])
    assert ticks(page) == {"length": "yes", "not_common": "unknown", "not_personal": "yes", "equal": "no"}
    expect(page.locator("[data-criterion=not_common]")).to_have_attribute("data-met", "yes")
    page.fill("[name=confirm_password]", GOOD)
    assert ticks(page)["equal"] == "yes"


def test_advice_in_words_as_one_types(enter):
    page = enter()
    advice = page.locator("[data-advice]")
    page.fill("[name=new_password]", "passwordpassword")
    expect(page.locator("[data-criterion=not_common]")).to_have_attribute("data-met", "no")
    expect(advice).to_contain_text("easy to guess.")
    page.fill("[name=new_password]", GOOD)
    expect(advice).to_have_text("Very hard to guess.")
    expect(page.locator("[data-criterion=not_common]")).to_have_attribute("data-met", "yes")
    page.fill("[name=new_password]", "")
    expect(advice).to_have_text("")


def test_a_change_is_announced_once_the_typing_rests(enter):
    page = enter()
    page.locator("[name=new_password]").press_sequentially(GOOD)

    expect(page.locator("[data-said]")).to_contain_text("met: at least 15 characters long")


def test_the_page_judges_as_the_server_does(enter):
    """What the browser ticked is what the server finds after submit."""
    page = enter()
    page.fill("[name=new_password]", "northclinic")
    page.fill("[name=confirm_password]", "northclinic2")
    browser = ticks(page)
    page.click("button:has-text('Confirm')")
    page.get_by_text("What is missing is marked below").wait_for()
    server = ticks(page)

    assert {code: met for code, met in browser.items() if met != "unknown"}.items() <= server.items()


def test_the_password_can_be_looked_at(enter):
    page = enter()
    page.fill("[name=new_password]", GOOD)
    page.get_by_role("button", name="Show password").nth(0).click()
    assert page.locator("[name=new_password]").get_attribute("type") == "text"
    page.get_by_role("button", name="Hide password").click()
    assert page.locator("[name=new_password]").get_attribute("type") == "password"


@pytest.mark.parametrize("script", [True, False])
def test_confirm_leads_inside(enter, script):
    page = enter(java_script_enabled=script)
    page.fill("[name=new_password]", "first")
    page.fill("[name=confirm_password]", "other")
    page.click("button:has-text('Confirm')")
    page.get_by_text("What is missing is marked below").wait_for()
    assert ticks(page)["length"] == "no"
    page.fill("[name=new_password]", GOOD)
    page.fill("[name=confirm_password]", GOOD)
    page.click("button:has-text('Confirm')")
    page.wait_for_url("**/inbox/")
