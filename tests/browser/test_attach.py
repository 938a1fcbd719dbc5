"""Files go as soon as they are chosen: static/js/attach.js."""

import pytest
from django.urls import reverse

from messaging.models import Attachment


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "results.bin"
    path.write_bytes(b"\x00\x01" * 500_000)
    return path


def test_a_chosen_file_is_attached_and_the_text_stays(open_browser, sender, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "Kept")
    page.locator("[data-page]").click()
    page.keyboard.type("kept, too")
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Remove results.bin").wait_for()

    assert Attachment.objects.get().size == 1_000_000
    assert page.locator("[name=subject]").input_value() == "Kept"
    assert page.locator("[data-page]").text_content() == "kept, too"
    assert "/drafts/" in page.url
    assert page.evaluate("document.activeElement.name") == "files"


def test_two_one_after_the_other(open_browser, sender, file, tmp_path):
    (tmp_path / "second.bin").write_bytes(b"2")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    for name in ("results.bin", "second.bin"):
        page.set_input_files("[name=files]", tmp_path / name)
        page.get_by_role("button", name=f"Remove {name}").wait_for()

    page.get_by_role("button", name="Remove results.bin").click()
    page.get_by_role("button", name="Remove results.bin").wait_for(state="detached")
    assert page.locator(".files__item").count() == 1


def test_when_it_fails_the_plain_way_is_taken(open_browser, sender, file, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.route("**/drafts/**", lambda route: route.abort(), times=1)
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Remove results.bin").wait_for()

    assert Attachment.objects.count() == 1
    complaints.clear()


def test_without_script_there_is_a_button(open_browser, sender, file):
    page = open_browser(sender, java_script_enabled=False)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", file)
    page.click("button:has-text('Attach')")

    page.get_by_role("button", name="Remove results.bin").wait_for()
    assert Attachment.objects.count() == 1
