"""The operator closes an organisation, and opens it again."""

from playwright.sync_api import expect

from ..admin.conftest import page as address
from ..conftest import PASSWORD
from .good import SCREENS, assert_good


def test_an_organization_is_closed_and_opened_again(open_browser, operator, other_organization, complaints):
    window = open_browser(operator, **SCREENS[0].values[0])
    window.goto(address(other_organization, "change", other_organization.pk))
    window.get_by_role("link", name="Close", exact=True).click()
    window.locator("[name=current_password], [name=password]").first.fill(PASSWORD)
    window.get_by_role("button", name="Continue").click()
    expect(window.get_by_text("There is no way back.")).to_be_visible()
    assert_good(window)
    window.get_by_label("Portal URL prefix of the organisation").fill("north")
    window.get_by_role("button", name="Close", exact=True).click()
    expect(window.get_by_text("Type it exactly as it stands above: south.")).to_be_visible()
    assert_good(window)
    window.get_by_label("Portal URL prefix of the organisation").fill("south")
    window.get_by_role("button", name="Close", exact=True).click()
    expect(window.get_by_text("The portal is closed to everybody. Its administrators")).to_be_visible()
    assert complaints == []
    assert_good(window)
    complaints.clear()  # axe copies style sheets that Django's import, and the policy stops it
    window.get_by_role("button", name="Do not close it after all").click()
    expect(window.get_by_text("The portal is open again as it was.")).to_be_visible()
    other_organization.refresh_from_db()
    assert other_organization.closing_at is None
