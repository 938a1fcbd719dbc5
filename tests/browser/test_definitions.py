"""A sender chooses a definition, and is told what its readers will be told."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import Group
from messaging.definitions import default_for
from messaging.models import Definition, DefinitionFolder, Message

from .good import SCREENS, assert_good


@pytest.fixture
def strict(sender) -> Definition:
    """In a folder whose group the sender is in."""
    organization = sender.organization
    group = Group.objects.create(organization=organization, name="Ward")
    group.members.add(sender)
    folder = DefinitionFolder.objects.create(organization=organization, name="Clinical")
    folder.groups.add(group)
    default_for(organization)
    rules = {"may_reply": False, "may_reply_all": False, "may_print": False, "expire_after_days": 7}
    return Definition.objects.create(
        organization=organization, description="Read within a week", folder=folder, position=1, **rules
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_with_a_choice(open_browser, sender, strict, screen):
    window = open_browser(sender, **screen)
    window.goto(reverse("compose"))
    assert_good(window)


@pytest.mark.parametrize("script", [True, False])
def test_what_is_chosen_is_sent_under(open_browser, sender, recipient, strict, script):
    window = open_browser(sender, java_script_enabled=script)
    window.goto(reverse("compose"))
    expect(window.get_by_label("Definition")).to_have_value(str(default_for(sender.organization).id))
    window.get_by_text("What recipients will be told").click()
    expect(window.get_by_text("Replies are not allowed.")).to_be_visible()
    expect(window.get_by_text("The message can be read for 7 days.")).to_be_visible()
    window.get_by_label("To", exact=True).fill(recipient.address)
    window.get_by_label("Subject").fill("Your results")
    window.get_by_label("Definition").select_option("Read within a week")
    window.get_by_role("button", name="Send Securely").click()
    expect(window.get_by_role("heading", name="Sent Items")).to_be_visible()
    assert Message.objects.get(sent_at__isnull=False).definition == strict
