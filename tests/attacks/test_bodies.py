"""Hostile bodies do nothing: no execution, no request, no navigation. Judged in Chromium in the very document the frame
shows, with its policy and, so that the sanitiser alone is put to the test, without."""

import pytest
from django.template.loader import render_to_string

from messaging import bodies

from .bodies import HOSTILE

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
FRAME = "https://portal.example/body/"


@pytest.fixture
def judge(page):
    """judge(body HTML, headers) → what happened."""

    def show(html: str, headers: dict[str, str]) -> list[str]:
        happened: list[str] = []
        document = render_to_string("messaging/body.html", {"body": bodies.shown(html), "quotes": []})

        def answer(route, request):
            if request.url == FRAME:
                route.fulfill(body=document, headers={"Content-Type": "text/html; charset=utf-8"} | headers)
                return
            happened.append(f"asked for {request.url}")
            route.fulfill(status=204)

        page.context.unroute_all()
        page.context.route("**/*", answer)
        page.goto(FRAME)
        page.mouse.move(200, 200)
        page.mouse.click(200, 200)
        page.keyboard.press("Tab")
        if page.url.split("#")[0] != FRAME:
            happened.append(f"went to {page.url}")
        if not headers and page.evaluate("window.ranAlready"):
            happened.append("ran")
        return happened

    # Where a script could run, this is what it would call; set before anything of the page.
    page.add_init_script("window.ranAlready = false; window.ran = () => { window.ranAlready = true; }")
    return show


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_without_a_policy_the_sanitiser_alone_holds(number, judge):
    assert judge(bodies.sanitize(HOSTILE[number]), {}) == []


def test_with_the_policy_even_what_was_not_sanitised_asks_for_nothing(page):
    """The second wall by itself: every hostile body as it came, under the frame's policy."""
    asked: list[str] = []

    def answer(route, request):
        if (number := request.url.removeprefix(FRAME)).isdecimal():
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
            route.fulfill(body=f"<!doctype html><title>quiet</title>{HOSTILE[int(number)]}", headers=headers)
        elif "evil.example" in request.url and not request.is_navigation_request():
            asked.append(f"{request.url} by {request.frame.url}")
            route.fulfill(status=204)
        else:
            route.fulfill(status=204)

    page.context.route("**/*", answer)
    for number in range(len(HOSTILE)):
        page.goto(f"{FRAME}{number}", wait_until="commit")
        page.wait_for_timeout(20)
    assert asked == []


def test_the_corpus_would_be_noticed(page, judge):
    """The judge itself: without the sanitiser and without a policy, much of the corpus does what it is there for."""
    noticed = 0
    for html in ("<img src=x onerror=ran()>", "<script>ran()</script>", "<img src='https://evil.example/x'>"):
        page.context.unroute_all()
        asked = []

        def answer(route, request, html=html, asked=asked):
            if request.url == FRAME:
                route.fulfill(body=html, headers={"Content-Type": "text/html"})
            else:
                asked.append(request.url)
                route.fulfill(status=204)

        page.context.route("**/*", answer)
        page.goto(FRAME)
        page.wait_for_timeout(50)
        noticed += bool(page.evaluate("window.ranAlready") or asked)
    assert noticed == 3
