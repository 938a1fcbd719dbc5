"""What is asked before a message goes where it may not be meant to go: read out, and not as one long alert."""

from django.urls import reverse
from playwright.sync_api import expect

from . import steps


def test_each_is_heard_and_its_button_is_none_of_the_words(open_browser, sender, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    steps.send_somewhere_new(page, "Hello")

    expect(page.locator("[data-say]")).to_contain_text("Please look once more. Nothing has been sent yet.")
    for caution in page.locator("[data-problems] li").all():
        expect(page.locator("[data-say]")).to_contain_text(caution.inner_text().strip())
    expect(page.locator("[data-say]")).not_to_contain_text("It is right")
    expect(page.get_by_role("alert")).to_have_count(0)
    complaints.clear()  # of the page that asks, which is a 422
