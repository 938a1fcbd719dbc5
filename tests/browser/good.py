"""What holds for every page: nothing wider than its screen, no barrier that axe knows, targets one can hit."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCREENS = [
    pytest.param(
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "light", "has_touch": True}, id="telephone"
    ),
    pytest.param({"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "has_touch": True}, id="night"),
    pytest.param({"viewport": {"width": 768, "height": 1024}, "color_scheme": "light"}, id="tablet"),
    pytest.param({"viewport": {"width": 1600, "height": 900}, "color_scheme": "dark"}, id="desk"),
]


OF_WHOLE_PAGES = ("landmark-one-main", "page-has-heading-one", "region")


def assert_good(page: Page, *, is_whole_page: bool = True) -> None:
    """What holds for every page; one that stands in a frame has no heading of its own."""
    rules = {} if is_whole_page else {rule: {"enabled": False} for rule in OF_WHOLE_PAGES}
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules}).response["violations"]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").count() == (1 if is_whole_page else 0)
    assert page.title()
    small = page.evaluate(
        """[...document.querySelectorAll("a, button, input, select, summary, textarea")]
            .filter((it) => it.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
            .filter((it) => !it.closest("p, .unheard, .skip") && !it.matches(".skip"))
            .map((it) => (it.type === "checkbox" ? it.closest("label") ?? it : it))
            .map((it) => [it.outerHTML.slice(0, 120), it.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([html]) => html)"""
    )
    assert small == []
