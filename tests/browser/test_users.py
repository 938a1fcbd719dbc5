"""What an administrator does to a user on pages that say beforehand what it means."""

from playwright.sync_api import expect

from accounts.models import ExternalDomain, Group

from ..admin.conftest import page as address
from ..conftest import PASSWORD
from .good import SCREENS, assert_good


def test_an_address_is_changed(open_browser, administrator, recipient):
    window = open_browser(administrator, **SCREENS[0].values[0])
    window.goto(address(recipient, "change", recipient.pk))
    window.get_by_role("link", name="Change address").click()
    window.locator("[name=current_password], [name=password]").first.fill(PASSWORD)
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_text("All sessions end.")).to_be_visible()
    assert_good(window)
    window.get_by_label("New email address").fill("admin@north.example")
    window.get_by_role("button", name="Change address").click()
    expect(window.get_by_text("There is a user with this address already")).to_be_visible()
    window.get_by_label("New email address").fill("married@outside.example")
    window.get_by_role("button", name="Change address").click()
    expect(window.get_by_role("heading", name="married@outside.example")).to_be_visible()
    expect(window.get_by_text("Both addresses are told by mail.")).to_be_visible()


def test_a_person_is_erased(open_browser, administrator, recipient):
    window = open_browser(administrator, **SCREENS[0].values[0])
    window.goto(address(recipient, "change", recipient.pk))
    window.get_by_role("link", name="Erase").click()
    window.locator("[name=current_password], [name=password]").first.fill(PASSWORD)
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_text("There is no way back.")).to_be_visible()
    assert_good(window)
    window.get_by_role("button", name="Erase").click()
    expect(window.get_by_text("The person cannot come in any more")).to_be_visible()
    recipient.refresh_from_db()
    assert recipient.name == "Erased person"


def test_a_domain_becomes_the_organizations_own(open_browser, administrator, recipient, complaints):
    window = open_browser(administrator, **SCREENS[0].values[0])
    window.goto(address(ExternalDomain, "change", recipient.domain_id))
    window.get_by_role("link", name="Move to Internal Directories").click()
    window.locator("[name=current_password], [name=password]").first.fill(PASSWORD)
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_text("1 user becomes internal")).to_be_visible()
    assert_good(window)
    window.get_by_role("button", name="Move").click()
    expect(window.get_by_role("link", name="outside.example")).to_be_visible()
    Group.objects.create(organization=recipient.organization, name="Ward")
    window.goto(address(recipient, "change", recipient.pk))
    assert complaints == []
    assert_good(window)
    complaints.clear()  # axe copies style sheets that Django's import, and the policy stops it
    window.get_by_label("Ward").check()
    window.get_by_role("button", name="Save", exact=True).click()
    expect(window.get_by_text("successfully")).to_be_visible()
    assert recipient.member_of.get().name == "Ward"
