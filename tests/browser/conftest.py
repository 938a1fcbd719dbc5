"""A real browser (Debian's Chromium) before a real server; whatever it complains of fails the test."""

import os
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from accounts.models import User

from ..admin.conftest import just_confirmed

# The browser's driver keeps an event loop in this thread, in which Django would refuse every query.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser found wrong: errors of scripts, breaches of the policy, answers of 500."""
    return []


@pytest.fixture
def open_browser(browser, live_server, complaints) -> Iterator[Callable[..., Page]]:
    """open_browser(user or None, confirmed=False, **context): a window of that person's own, already inside; confirmed:
    they have just shown who they are."""
    contexts: list[BrowserContext] = []

    def open_window(user: User | None = None, *, confirmed: bool = False, **options) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            if confirmed:
                just_confirmed(client)
            session = client.cookies["session"].value
            context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        return page

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture(autouse=True)
def nothing_to_complain_of(complaints) -> Iterator[None]:
    yield
    assert complaints == []
