"""What people do with the portal, in the words that its pages carry. With and without script it is the same."""

import hashlib
import re
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

OWN_PASSWORD = "seven green bottles on a wall"


def watch(page: Page, complaints: list[str]) -> Page:
    """Note whatever the browser finds wrong: errors of scripts and breaches of the policy, what did not load, pages
    that failed. A page that answers 404, 410 or 422 is none of these."""

    def answered(response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= (500 if is_page else 400):
            complaints.append(f"{response.status} {response.url}")

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda line: (
            line.type in ("error", "warning")
            and "the server responded with a status of" not in line.text
            and complaints.append(f"{page.url}: {line.text}")
        ),
    )
    page.on("response", answered)
    page.context.on("weberror", lambda error: complaints.append(str(error.error)))
    return page


def log_in(page: Page, address: str, password: str) -> None:
    """The two steps, from the organisation's log-in page or a notification's link."""
    page.get_by_label("Email Address").fill(address)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log In").click()


def write(page: Page, *, to: str, subject: str, body: str) -> None:
    """A new message; the body goes wherever this browser lets one write it."""
    page.wait_for_load_state()  # without its style sheet a page shows both
    page.get_by_role("link", name="Compose").locator("visible=true").click()
    page.get_by_label("To", exact=True).fill(to)
    page.get_by_label("Subject").fill(subject)
    write_body(page, body)


def write_body(page: Page, text: str) -> None:
    """In the editor in bold, so that there is something to see of it; in the plain field without script."""
    page.wait_for_load_state()
    field = page.get_by_role("textbox", name="Message")
    if page.locator("[data-page]").count():
        field.press("Control+b")
        page.keyboard.type(text)
    else:
        field.fill(text)


def attach(page: Page, file: Path, *, seconds: int = 20) -> None:
    page.get_by_label("Files to attach").set_input_files(file)
    button = page.get_by_role("button", name="Attach", exact=True)
    if button.is_visible():  # with script it goes by itself
        button.click()
    expect(page.get_by_role("button", name=f"Remove {file.name}")).to_be_visible(timeout=seconds * 1000)


def send(page: Page, *, confirm: bool = False) -> None:
    page.get_by_role("button", name="Send Securely", exact=True).click()
    if confirm:
        page.get_by_role("button", name="It is right: Send Securely").click()
    expect(page.get_by_role("heading", name="Sent Items")).to_be_visible()


def open_message(page: Page, folder: str, subject: str) -> None:
    page.get_by_role("navigation", name="Folders").get_by_role("link", name=re.compile(folder)).click()
    page.get_by_role("link", name=re.compile(re.escape(subject))).first.click()


def text_of_message(page: Page) -> str:
    """What stands in the message's frame."""
    body = page.frame_locator("iframe").locator("body")
    expect(body).not_to_be_empty()
    return body.inner_text()


def digest_of_download(page: Page, name: str, *, seconds: int = 30) -> str:
    with page.expect_download(timeout=seconds * 1000) as download:
        page.get_by_role("link", name=re.compile(re.escape(name))).click()
    assert download.value.suggested_filename == name
    return digest(Path(download.value.path()))


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def set_password(page: Page, password: str, *, too_short: str) -> None:
    """First one that will not do: as one types where there is script, after submit where there is none."""
    page.get_by_label("New Password").fill(too_short)
    page.get_by_label("Confirm Password").fill(too_short)
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("[data-criterion=length]")).to_have_attribute("data-met", "no")
    assert ticks(page)["equal"] == "yes"
    page.get_by_label("New Password").fill(password)
    page.get_by_label("Confirm Password").fill(password)
    page.get_by_role("button", name="Confirm").click()


def ticks(page: Page) -> dict[str, str | None]:
    found = page.locator("[data-criterion]").all()
    return {item.get_attribute("data-criterion") or "": item.get_attribute("data-met") for item in found}


def what_the_browser_kept(page: Page) -> list[object]:
    """Its three stores of this origin."""
    return page.evaluate(
        """async () => [
            ...Object.entries(localStorage), ...Object.entries(sessionStorage), ...await indexedDB.databases()
        ]"""
    )


def link_in(mail: EmailMessage) -> str:
    return re.search(r"https?://\S+", plain(mail))[0]  # type: ignore[index]


def temporary_password_in(mail: EmailMessage) -> str:
    """The line that stands by itself, indented."""
    return re.search(r"^ {4}(\S+)\s*$", plain(mail), re.MULTILINE)[1]  # type: ignore[index]


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return part.get_content()


def send_somewhere_new(page: Page, subject: str) -> Locator:
    """From the page for writing, to a domain nobody has written to; the button that confirms it."""
    page.fill("[name=to]", "someone@unheard-of.example")
    page.fill("[name=subject]", subject)
    page.get_by_role("button", name="Send Securely").click()
    confirm = page.get_by_role("button", name="It is right: Send Securely")
    confirm.wait_for()
    return confirm
