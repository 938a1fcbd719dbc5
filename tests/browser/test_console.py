"""The administration console by the eyes of a browser. Django's pages obey the portal's policy as ours do: a script
or style that it stops is an error in the browser's console, and fails here."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, get_resolver, reverse
from playwright.sync_api import expect

from accounts.models import Group, InternalDomain, LogInAttempt, PortalSession, User
from messaging import approved_reading, drafts, mass_recall, sending
from messaging.definitions import default_for
from messaging.models import (
    ApprovedReading,
    Definition,
    DefinitionFolder,
    LicensedSender,
    MassRecall,
    Message,
    RecipientUse,
)
from portal import audit, dkim_keys, imports, moments
from portal.ids import uuid7
from portal.models import DkimKey, Import, MailCheck, MailRoute

from ..admin import conftest as console
from ..conftest import PASSWORD
from .good import SCREENS, assert_good

address = console.page
north, rows = console.north, console.rows  # a row of every kind
LABELS = [model._meta.label for model in admin.site._registry]
ROWLESS, OF_A_ROW = ("changelist", "add"), ("change", "history", "delete")
LOOKED_AT_ABOVE = {"index", "messaging_definition_dry_run", "portal_auditevent_export"}
LOOKED_AT_ABOVE |= {
    "messaging_approvedreading_ask",
    "messaging_approvedreading_body",
    "portal_import_upload",
    "portal_import_export",
}
VERBS = {
    f"accounts_user_{verb}"
    for verb in (
        *("clear_lock", "disable", "enable", "end_sessions", "issue_password", "keep_second_factor", "order_change"),
        *("remove_second_factor", "send_reset", "rename", "clear_bounce"),
    )
}
VERBS |= {"messaging_approvedreading_decide", "portal_import_confirm", "portal_import_cancel"}
VERBS |= {"messaging_massrecall_retry"}
VERBS |= {"messaging_erasure_order", "accounts_externaldomain_move"}  # looked at in test_users.py
VERBS |= {"portal_organization_close", "portal_organization_call_off"}  # looked at in test_closing.py
# The log-in is the portal's, an app's list is the index's, the rest is no page.
DJANGOS = {"app_list", "autocomplete", "jsi18n", "login", "logout", "messaging_definition_preview"}
# Shown in a frame of the pages they belong to.
IN_A_FRAME = {"portal_branding_preview", "portal_notificationtext_preview"}


@pytest.fixture
def pages(administrator, recipient) -> list[str]:
    organization = administrator.organization
    folder = DefinitionFolder.objects.create(organization=organization, name="Clinical")
    own = Definition.objects.create(organization=organization, description="Read within a week", folder=folder)
    group = Group.objects.create(organization=organization, name="Ward")
    folder.groups.add(group)
    RecipientUse.objects.create(sender=administrator, month=date(2001, 2, 1), address="a@x.example")
    text = drafts.DraftText(to=administrator.address, subject="Subject", body="<p>Body</p>")
    draft = drafts.save_draft(actor=recipient, message_id=uuid7(), entry=None, text=text).entry
    message = sending.send_draft(actor=recipient, entry=draft).message
    selection = mass_recall.order(actor=administrator, organization=organization, message_ids=[message.id])
    dry_run = reverse("admin:messaging_definition_dry_run")
    event = audit.record(organization, "user.changed", actor=administrator, about=recipient.pk, fields=["name"])
    return [
        reverse("admin:index"),
        address(InternalDomain, "changelist"),
        address(InternalDomain, "add"),
        address(InternalDomain, "change", administrator.domain_id),
        address(User, "changelist"),
        address(User, "add"),
        address(User, "change", recipient.pk),
        address(User, "history", recipient.pk),
        address(Group, "changelist"),
        address(Group, "change", group.pk),
        address(DefinitionFolder, "changelist"),
        address(DefinitionFolder, "add"),
        address(DefinitionFolder, "change", folder.pk),
        dry_run,
        f"{dry_run}?sender={recipient.address}&to=nobody",
        f"{dry_run}?sender={administrator.address}&to={recipient.address}",
        address(Definition, "changelist"),
        address(Definition, "change", default_for(organization).pk),
        address(Definition, "change", own.pk),
        address(Definition, "delete", own.pk),
        address(Message, "changelist"),
        f"{address(Message, 'changelist')}?start=2001-01-01T00:00&end=2001-01-01T00:00",
        address(Message, "change", message.pk),
        reverse("admin:messaging_approvedreading_ask", args=[message.pk]),
        *(address(ApprovedReading, "change", asked.pk) for asked in asked_for(message, administrator, recipient)),
        address(MassRecall, "changelist"),
        address(MassRecall, "change", selection.pk),
        address(LicensedSender, "changelist"),
        address(LicensedSender, "change", administrator.pk),
        address(type(organization), "changelist"),
        address(type(event), "changelist"),
        reverse("admin:portal_auditevent_export"),
        reverse("admin:portal_import_upload", args=["licences"]),
        reverse("admin:portal_import_export", args=["users"]),
        *(address(Import, "change", run.pk) for run in imported(administrator)),
        reverse("admin:portal_outgoingmail_changelist"),
        *mail_pages(organization),
        address(type(event), "change", event.pk),
        reverse("admin:accounts_loginattempt_changelist"),
    ]


def asked_for(message: Message, one: User, another: User) -> list[ApprovedReading]:
    """Readings that the first asked for, one approved by the other; and one that the first may decide."""
    approved, waiting = (approved_reading.ask(actor=one, message=message, reason="A complaint") for _n in range(2))
    approved_reading.decide(actor=another, asked=approved, approved=True)
    return [approved, waiting, approved_reading.ask(actor=another, message=message, reason="A long one " * 20)]


def mail_pages(organization) -> list[str]:
    """Routes, a key with the record to publish, and a check that found something of each sort."""
    route = MailRoute.objects.create(organization=organization, domain="partner.example")
    key = dkim_keys.make(organization, DkimKey())
    key.save()
    found = [
        {"check": "mx", "verdict": "good", "found": ["10 mail.north.example"], "name": "north.example", "publish": ""},
        {"check": "dkim", "verdict": "missing", "found": [], "name": str(key), "publish": dkim_keys.record_of(key)},
        {"check": "spf", "verdict": "silent", "found": ["no answer"], "name": "", "publish": ""},
    ]
    check = MailCheck.objects.create(organization=organization, findings=found, checked_at=key.created_at)
    return [
        address(MailRoute, "changelist"),
        *(address(type(row), "change", row.pk) for row in (route, key, check)),
        address(DkimKey, "add"),
    ]


def imported(administrator) -> list[Import]:
    """Imports in every state that a page tells apart."""

    def upload(content: str) -> Import:
        kind = imports.kind_named("users")
        assert kind is not None
        return imports.order(
            actor=administrator, organization=administrator.organization, kind=kind, content=content.encode()
        )

    finished = upload("address,name\na@x.example,A\nno address,B\n")
    imports.work_off()
    imports.confirm(actor=administrator, run=finished)
    cancelled, broken = upload("address\nb@x.example\n"), upload('address\nb@x.example\n"c" d\n')
    imports.cancel(actor=administrator, run=cancelled)
    waiting = upload("address,name\nc@x.example,C\nno address at all,D\n")
    imports.work_off()
    return [finished, cancelled, broken, waiting, upload("address\ne@x.example\n")]


@pytest.fixture
def look_at(complaints):
    """look_at(window, paths): opens each; the page itself must give the browser nothing to complain of."""

    def look(window, paths: list[str]) -> None:
        for path in paths:
            window.goto(path)
            assert complaints == []
            assert_good(window)
            # axe copies the style sheets that Django's import into the page, and the policy stops it.
            complaints.clear()

    return look


@pytest.mark.parametrize("screen", [SCREENS[0], SCREENS[-1]])
def test_pages_of_an_administrator(open_browser, administrator, pages, screen, look_at):
    window = open_browser(administrator, confirmed=True, **screen)
    look_at(window, pages)
    assert window.evaluate("localStorage.length + sessionStorage.length") == 0


def test_pages_of_the_operator(open_browser, operator, pages, look_at):
    look_at(open_browser(operator, confirmed=True), [*pages, reverse("admin:portal_organization_add")])


@pytest.mark.parametrize("label", LABELS)
def test_every_page_of_a_model(open_browser, north, administrator, operator, rows, log_in, look_at, label):
    """Of its administrator and of the operator, wherever Django lets them in; a model added later is in here."""
    model = apps.get_model(label)
    row = rows(north)[model]
    paths = [address(model, view) for view in ROWLESS] + [address(model, view, row.pk) for view in OF_A_ROW]
    telephone = SCREENS[0].values[0]
    for person in (administrator, operator):
        client = log_in(person)
        open_to_them = [path for path in paths if client.get(path).status_code == 200]
        assert open_to_them
        look_at(open_browser(person, **telephone), open_to_them)


def test_lists_fold_into_a_tablet_and_a_telephone(open_browser, north, administrator, operator, make_user, complaints):
    """Nothing runs out of view there, however long addresses and details are; these and actions break between their
    words, of which a hyphen is an end."""
    long = make_user(
        north.organization,
        "a-rather-long-name@krankenhausverbund.northern-region.example",
        name="A Long-Name " * 5,
    )
    audit.record(north.organization, "message.reading_approved", actor=long, about=long.pk, name="words of it " * 20)
    north.mail.__class__.objects.update(to_address=long.address, server_reply="550 no such mailbox " * 9)
    LogInAttempt.objects.update(address=long.address)
    RecipientUse.objects.update(sender=long)
    Message.objects.update(sender=long)
    for person, screen in ((administrator, SCREENS[2]), (operator, SCREENS[2]), (operator, SCREENS[0])):
        window = open_browser(person, **screen.values[0])
        for label in LABELS:
            window.goto(address(apps.get_model(label), "changelist"))
            cut = window.evaluate(
                """[...document.querySelectorAll(".results")]
                    .filter((list) => list.scrollWidth > list.clientWidth + 1).map((list) => list.innerText)"""
            )
            assert (label, screen.id, cut) == (label, screen.id, [])
            torn = window.evaluate(
                """[...document.querySelectorAll("tbody :is(.field-action, .long-word, [class*='address'])")]
                    .flatMap((cell) => {
                        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT)
                        const words = []
                        while (walker.nextNode()) {
                            for (const found of walker.currentNode.data.matchAll(/[^\\s-]+-?/g)) {
                                const range = document.createRange()
                                range.setStart(walker.currentNode, found.index)
                                range.setEnd(walker.currentNode, found.index + found[0].length)
                                words.push(range)
                            }
                        }
                        return words
                    }).filter((word) => word.getClientRects().length > 1).map(String)"""
            )
            assert (label, screen.id, torn) == (label, screen.id, [])
            assert complaints == []


def test_tables_within_pages_fold_on_a_telephone_too(open_browser, administrator, pages):
    """Recipients of a message, rows of an import that are wrong, what the audit log says of a row."""
    window = open_browser(administrator, **SCREENS[0].values[0])
    message, run = Message.objects.get(), Import.objects.filter(problems__isnull=False).first()
    assert run
    for path in (
        address(Message, "change", message.pk),
        address(Import, "change", run.pk),
        address(Message, "history", message.pk),
    ):
        window.goto(path)
        folded = window.locator("tbody td[data-head]").evaluate_all(
            "(cells) => cells.map((cell) => getComputedStyle(cell, '::before').content === `\"${cell.dataset.head}\"`)"
        )
        assert (path, len(folded) > 0, all(folded)) == (path, True, True)
        assert window.locator("thead th:visible").count() == 0


def test_on_a_telephone_each_cell_says_what_it_is(open_browser, administrator, recipient):
    window = open_browser(administrator, **SCREENS[0].values[0])
    window.goto(address(User, "changelist"))
    state = window.get_by_role("row").filter(has_text=recipient.address).locator(".field-state")
    assert state.evaluate("(cell) => getComputedStyle(cell, '::before').content") == '"State"'


def test_heads_stand_over_their_columns(open_browser, north, administrator):
    """Also those that do not sort, which Django draws in another way."""
    window = open_browser(administrator, **SCREENS[3].values[0])
    for model in (User, type(north.event), Definition):
        window.goto(address(model, "changelist"))
        beside = window.evaluate(
            """[...document.querySelectorAll("#result_list thead th")].map((head, at) => {
                const left = (element) => {
                    const range = document.createRange()
                    range.selectNodeContents(element)
                    return range.getBoundingClientRect().left
                }
                const cell = document.querySelector(`#result_list tbody tr > :nth-child(${at + 1})`)
                return [head.innerText, left(head.querySelector(".text > *")) - left(cell)]
            }).filter(([, apart]) => Math.abs(apart) > 3)"""
        )
        assert beside == []


def test_facts_stand_by_their_names(open_browser, administrator, recipient):
    """Below on a telephone, beside from a tablet on, however long; never with a hole between, never cut off."""
    User.objects.filter(pk=recipient.pk).update(bounced_at=recipient.password_set_at, bounce_words="no such user " * 9)
    for screen in SCREENS:
        window = open_browser(administrator, **screen.values[0])
        window.goto(address(User, "change", recipient.pk))
        holes = window.evaluate(
            """[...document.querySelectorAll(".form-row .readonly")].map((fact) => {
                const name = fact.parentElement.querySelector("label").getBoundingClientRect()
                const text = fact.firstElementChild ?? fact
                const range = document.createRange()
                range.selectNodeContents(text)
                const said = range.getBoundingClientRect()
                return [fact.textContent.trim(), said.top - name.bottom, said.left - name.right,
                        said.right - fact.closest(".form-row").getBoundingClientRect().right]
            }).filter(([, below, beside, over]) => below > 24 || (innerWidth > 767 && beside < 0) || over > 1)"""
        )
        assert (screen.id, holes) == (screen.id, [])


@pytest.mark.parametrize("width", [768, 1280])
def test_the_search_asks_in_full_rows(open_browser, administrator, width):
    """The two ends of the time stand side by side, and no field alone in a line."""
    window = open_browser(administrator, viewport={"width": width, "height": 900})
    window.goto(address(Message, "changelist"))
    boxes = [field.bounding_box() for field in window.locator(".asking").locator("input, select").all()]
    tops = [box["y"] for box in boxes if box]
    lines = [len([one for one in tops if abs(one - top) < 4]) for top in sorted(set(tops))]
    assert min(lines) > 1
    first, second = (window.get_by_label(name).bounding_box() for name in ("Sent from", "Until"))
    assert first["y"] == second["y"]


def test_no_url_is_missing():
    """What is no page of a model's own is looked at above, or a verb that shows one of these pages."""
    of_models = {address_name(apps.get_model(label), view) for label in LABELS for view in (*ROWLESS, *OF_A_ROW)}
    resolver = next(pattern for pattern in get_resolver().url_patterns if getattr(pattern, "namespace", "") == "admin")
    names = {pattern.name for pattern in _patterns(resolver)} - {None}
    assert names - of_models == LOOKED_AT_ABOVE | VERBS | DJANGOS | IN_A_FRAME


def address_name(model, view: str) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}_{view}"


def _patterns(resolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from _patterns(pattern)


@pytest.mark.parametrize("script", [True, False])
def test_the_way_to_a_user_and_what_is_done_there(open_browser, administrator, recipient, script):
    window = open_browser(administrator, java_script_enabled=script)
    window.goto(reverse("inbox"))
    window.click("text=Administration")
    window.click("main >> text=External Directories")
    window.click("text=outside.example")
    window.click("text=first@outside.example")
    window.get_by_role("button", name="Disable").click()
    expect(window.get_by_text("The account can be enabled again at any time.")).to_be_visible()
    window.get_by_role("button", name="Disable").click()
    expect(window.get_by_text("The account is disabled")).to_be_visible()
    window.get_by_role("button", name="Enable").click()
    proof = window.context.new_page()
    proof.goto(reverse("confirm"))
    proof.locator("[name=current_password], [name=password]").first.fill(PASSWORD)
    proof.get_by_role("button", name="Continue").click()
    proof.wait_for_url("**/account/")
    proof.close()
    window.fill("[name=new_password]", "a long and quiet river bends")
    window.fill("[name=confirm_password]", "a long and quiet river bend")
    window.click("text=Save and continue")
    expect(window.get_by_text("The two passwords are not the same.")).to_be_visible()
    window.fill("[name=new_password]", "a long and quiet river bends")
    window.fill("[name=confirm_password]", "a long and quiet river bends")
    window.click("text=Save and continue")
    expect(window.get_by_text("Temporary, to be changed at the next logon")).to_be_visible()
    recipient.refresh_from_db()
    assert recipient.temporary_until


def test_enter_in_a_field_saves_and_disables_nobody(open_browser, administrator, recipient):
    window = open_browser(administrator)
    window.goto(address(User, "change", recipient.pk))
    window.fill("[name=name]", "Renamed")
    window.press("[name=name]", "Enter")
    window.wait_for_url(f"**{address(User, 'changelist')}**")
    recipient.refresh_from_db()
    assert (recipient.name, recipient.disabled_at) == ("Renamed", None)


def test_log_out_is_the_portals(open_browser, administrator):
    window = open_browser(administrator)
    window.goto(reverse("admin:index"))
    window.click("text=Log Out")
    window.goto(reverse("admin:index"))
    assert "/admin/" not in window.url.partition("?")[0]


def test_the_way_in_is_the_organizations_log_in_page(open_browser, administrator):
    window = open_browser()
    window.goto("/p/north/")
    for wanted in (reverse("inbox"), reverse("admin:index")):
        window.fill("[name=address]", administrator.address)
        window.get_by_role("button", name="Next").click()
        window.fill("[name=password]", PASSWORD)
        window.get_by_role("button", name="Log In").click()
        window.wait_for_url(f"**{wanted}")
        PortalSession.objects.all().delete()
        # The browser is known to come from north, so the console's visitor is sent to north's page, and back here.
        window.goto(reverse("admin:index"))
        window.wait_for_url("**/p/north/?next=%2Fadmin%2F")


@pytest.fixture
def three(administrator) -> list[Definition]:
    default = default_for(administrator.organization)
    others = [Definition(organization=default.organization, description="AB"[n], position=n + 1) for n in range(2)]
    return [default, *Definition.objects.bulk_create(others)]


def order(window) -> list[str]:
    return window.locator("#result_list tbody th").all_inner_texts()


def test_definitions_are_put_in_order_by_dragging(open_browser, administrator, three):
    window = open_browser(administrator)
    window.goto(address(Definition, "changelist"))
    assert order(window) == ["Standard", "A", "B"]
    handle, first = window.locator(".drag-handle").nth(2).bounding_box(), window.locator("tbody tr").nth(0)
    top = first.bounding_box()
    window.mouse.move(handle["x"] + 8, handle["y"] + 8)
    window.mouse.down()
    window.mouse.move(handle["x"] + 8, top["y"] + 4, steps=6)
    window.mouse.up()
    assert order(window) == ["B", "Standard", "A"]
    window.get_by_role("button", name="Move A: drag, or press the arrow keys").press("ArrowUp")
    assert order(window) == ["B", "A", "Standard"]
    with window.expect_navigation():
        window.get_by_role("button", name="Save").click()
    assert order(window) == ["B", "A", "Standard"]
    assert [one.description for one in Definition.objects.all()] == ["B", "A", "Standard"]


def test_definitions_are_put_in_order_by_number_without_script(open_browser, administrator, three):
    window = open_browser(administrator, java_script_enabled=False)
    window.goto(address(Definition, "changelist"))
    for number, name in ((9, "Standard"), (2, "A"), (1, "B")):
        window.get_by_label(f"Position of {name}").fill(str(number))
    with window.expect_navigation():
        window.get_by_role("button", name="Save").click()
    assert order(window) == ["B", "A", "Standard"]


def test_what_is_ticked_is_recalled(open_browser, administrator, pages):
    window = open_browser(administrator)
    window.goto(address(Message, "changelist"))
    window.get_by_label("Select the message from first@outside.example to admin@north.example").check()
    window.get_by_role("button", name="Recall ticked").click()
    expect(window.get_by_text("1 message would be recalled.")).to_be_visible()
    window.get_by_role("button", name="Recall").click()
    expect(window.get_by_text("1 of 1 done.")).to_be_visible()
    expect(window.get_by_text("Finished.")).to_be_visible()
    assert Message.objects.get().recalled_at


def test_progress_is_followed_without_reloading(open_browser, administrator, pages):
    window = open_browser(administrator)
    window.goto(address(MassRecall, "change", MassRecall.objects.get().pk))
    expect(window.get_by_text("0 of 1 done.")).to_be_visible()
    finished = window.locator(".field-finished_at .readonly")
    expect(finished).to_have_text("-")
    ago = moments.now() - timedelta(minutes=5)
    PortalSession.objects.update(last_seen_at=ago)
    mass_recall.work_off()
    expect(window.get_by_text("1 of 1 done.")).to_be_visible()
    expect(finished).not_to_have_text("-")
    assert PortalSession.objects.get().last_seen_at == ago  # to be asked by it is no activity


def test_what_a_recipient_will_be_told_is_seen_while_choosing(open_browser, administrator):
    window = open_browser(administrator)
    window.goto(address(Definition, "add"))
    expect(window.get_by_text("You may print this message.")).to_be_visible()
    window.get_by_label("Recipients may print").uncheck()
    expect(window.get_by_text("Printing is not allowed.")).to_be_visible()
    window.get_by_label("Expire after (days)").fill("1")
    window.get_by_label("Expire after (days)").blur()
    expect(window.get_by_text("The message can be read for 1 day.")).to_be_visible()
    assert not Definition.objects.exists()


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_checked_and_then_imported(open_browser, administrator, tmp_path, script):
    (tmp_path / "people.csv").write_text("address,name\nnew@x.example,New\nno address,Wrong\n")
    window = open_browser(administrator, java_script_enabled=script)
    window.goto(address(User, "changelist"))
    window.get_by_role("link", name="Import", exact=True).click()
    window.set_input_files("[name=file]", tmp_path / "people.csv")
    window.get_by_role("button", name="Check").click()
    expect(window.get_by_text("Being checked")).to_be_visible()
    imports.work_off()
    if not script:
        window.get_by_role("link", name="Look again").click()
    expect(window.get_by_text("Would be new: 1")).to_be_visible()
    expect(window.get_by_text("“no address” is not an email address")).to_be_visible()
    assert not User.objects.filter(address="new@x.example").exists()
    window.get_by_role("button", name="Import the good rows").click()
    imports.work_off()
    if not script:
        window.get_by_role("link", name="Look again").click()
    expect(window.get_by_text("Finished. The file is forgotten.")).to_be_visible()
    assert User.objects.get(address="new@x.example").name == "New"


def test_a_table_is_exported(open_browser, administrator, recipient):
    window = open_browser(administrator, confirmed=True)
    window.goto(address(User, "changelist"))
    window.get_by_role("link", name="Export", exact=True).click()
    window.get_by_label("Format").select_option("xlsx")
    with window.expect_download() as download:
        window.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert download.value.path().read_bytes().startswith(b"PK")
