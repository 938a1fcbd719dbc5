"""An organisation's own words in a mail, as an administrator finds them."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import NotificationText

from .good import assert_good


@pytest.mark.parametrize("script", [True, False])
def test_a_mail_is_worded_while_it_is_looked_at(open_browser, administrator, script):
    window = open_browser(administrator, java_script_enabled=script, viewport={"width": 1280, "height": 900})
    show = lambda: script or window.get_by_role("button", name="Show what is typed above").click()  # noqa: E731
    window.goto(reverse("admin:index"))
    window.click("main >> text=Notifications")
    window.get_by_role("link", name="Secure Messaging Notification").click()
    preview = window.frame_locator("iframe[name=preview]")
    html = preview.frame_locator("iframe")
    expect(html.get_by_text("Alex Example (alex@example.org) at North Clinic has sent you")).to_be_visible()
    window.locator("[name=text]").fill("Click here! {sender_name} wrote to you from {organization}.")
    show()
    expect(preview.get_by_text("“click here” makes a mail look like a promotion")).to_be_visible()
    expect(preview.get_by_text("Put {sender_address} into the text")).to_be_visible()
    window.locator("[name=text]").fill("{sender_name}, {sender_address}, wrote to you from {organization}.")
    window.locator("[name=subject]").fill("A confidential letter")
    show()
    expect(preview.get_by_text("North Clinic: A confidential letter")).to_be_visible()
    words = "Alex Example, alex@example.org, wrote to you from North Clinic."
    expect(html.get_by_text(words)).to_be_visible()
    expect(preview.locator("pre")).to_contain_text(words)
    expect(preview.get_by_role("alert")).to_have_count(0)
    assert not NotificationText.objects.exists()
    window.get_by_role("button", name="Save", exact=True).click()
    expect(window.get_by_role("row", name="Secure Messaging Notification")).to_contain_text("your own")
    if script:
        assert_good(window)
    assert NotificationText.objects.get().subject == "A confidential letter"
