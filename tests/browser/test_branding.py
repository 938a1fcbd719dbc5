"""Branding, as an administrator gives it and a visitor sees it."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import Branding

from ..small_pictures import png
from .good import SCREENS, assert_good


@pytest.mark.parametrize("script", [True, False])
def test_an_organization_gets_its_own_look(open_browser, administrator, script):
    window = open_browser(administrator, java_script_enabled=script)
    window.goto(reverse("admin:index"))
    window.click("main >> text=Branding")
    window.get_by_label("Page title").fill("North post")
    window.get_by_label("New logo").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": png(160, 40, colour=(122, 31, 92))}
    )
    window.get_by_label("Accent", exact=True).or_(window.get_by_label("Accent:", exact=True)).fill("#ffcc00")
    sample = window.frame_locator("iframe[name=preview]")
    if not script:
        window.get_by_role("button", name="Show what is typed above").click()
    expect(sample.get_by_text("have a contrast of 1.2")).to_be_visible()
    window.locator("[name=accent]").fill("#7a1f5c")
    if not script:
        window.get_by_role("button", name="Show what is typed above").click()
    expect(sample.get_by_text("have a contrast of")).to_have_count(0)
    expect(sample.get_by_text("Log In · North post")).to_have_count(2)
    button = sample.locator(".sample--day .button--first")
    expect(button).to_have_css("background-color", "rgb(122, 31, 92)")
    expect(sample.locator(".sample--night img")).to_be_visible()
    assert not Branding.objects.exists()
    window.get_by_role("button", name="Save", exact=True).click()
    expect(window.locator(".messagelist")).to_contain_text("successfully")
    visitor = open_browser(java_script_enabled=script)
    visitor.goto("/p/north/")
    expect(visitor.get_by_role("button", name="Next")).to_have_css("background-color", "rgb(122, 31, 92)")
    assert visitor.locator(".masthead__logo").evaluate("image => image.naturalWidth") == 160
    assert visitor.title() == "Log In · North post"


@pytest.mark.parametrize("screen", SCREENS)
def test_a_branded_page_is_good_by_day_and_by_night(open_browser, recipient, screen):
    Branding.objects.create(organization=recipient.organization, accent="#7a1f5c", disclaimer="For patients.\n\nOnly.")
    for person, path in ((None, "/p/north/"), (recipient, reverse("inbox"))):
        window = open_browser(person, **screen)
        window.goto(path)
        assert_good(window)
