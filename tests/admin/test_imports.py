"""Import and export, by the console's pages: upload, dry run, confirm; and back out."""

import csv
import gc
import io
import itertools
import tracemalloc
import zipfile
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from accounts import roles
from accounts.erasing import strip_identity
from accounts.models import Domain, User
from messaging import licences
from messaging.models import BulkSenderPack, Definition, RecipientUse
from portal import audit, imports, moments
from portal.models import AuditEvent, Import
from tests.amounts import amount

from .conftest import just_confirmed, page


def upload(client, kind: str, content: str | bytes, name: str = "people.csv", **posted):
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    file.name = name
    return client.post(reverse("admin:portal_import_upload", args=[kind]), {"file": file, **posted})


def checked(client, kind: str, content: str | bytes) -> Import:
    response = upload(client, kind, content)
    assert response.status_code == 302, response.context["form"].errors
    imports.work_off()
    return Import.objects.latest("id")


def imported(client, kind: str, content: str | bytes) -> Import:
    run = checked(client, kind, content)
    client.post(reverse("admin:portal_import_confirm", args=[run.pk]))
    imports.work_off()
    run.refresh_from_db()
    return run


def exported(client, kind: str, file_format: str = "csv") -> bytes:
    response = client.post(reverse("admin:portal_import_export", args=[kind]), {"file_format": file_format})
    assert response["Content-Disposition"].startswith('attachment; filename="north-')
    return b"".join(response.streaming_content)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def counts(run: Import) -> dict[str, int]:
    return {name: getattr(run, name) for name in Import.COUNTS}


def problems(run: Import) -> dict[int, str]:
    return dict(run.problems.values_list("line", "text"))


# --- The two passes -------------------------------------------------------------------------------------------


def test_nothing_happens_before_it_was_confirmed(north, events):
    run = checked(north.client, "users", "address,name\nnew@north.example,New\nsender@north.example,Renamed\n")
    assert counts(run) == {"new": 1, "changed": 1, "unchanged": 0, "wrong": 0}
    assert run.waits_for_confirmation
    assert not User.objects.filter(address="new@north.example").exists()
    assert User.objects.get(address="sender@north.example", organization=north.organization).name == "Demo Sender"
    html = north.client.get(page(Import, "change", run.pk)).content.decode()
    assert "Would be new: 1" in html
    north.client.post(reverse("admin:portal_import_confirm", args=[run.pk]))
    imports.work_off()
    user = User.objects.get(address="new@north.example")
    assert (user.name, user.is_internal, user.allow_logon, user.is_licensed) == ("New", True, True, False)
    assert not user.has_usable_password()
    assert events(user) == [("admin@north.example", "user.created")]
    assert [action for _who, action in events(run)] == ["import.uploaded", "import.confirmed", "import.finished"]
    html = north.client.get(page(Import, "change", run.pk)).content.decode()
    assert "Finished" in html
    assert "New: 1" in html


def test_every_wrong_row_is_named_and_every_good_one_taken(north):
    content = (
        "Address,Name,Logon\n"
        "good@x.example,Good,yes\n"
        "no address,Bad,yes\n"
        "\n"
        "maybe@x.example,Maybe,perhaps\n"
        "GOOD@x.example,Twice,yes\n"
        ",Nobody,yes\n"
        f"long@x.example,{'a' * 121},yes\n"
        '"multi@x.example","line\nbreak",yes\n'
        "last@x.example,Last,no\n"
    )
    run = imported(north.client, "users", content)
    found = problems(run)
    assert set(found) == {3, 5, 6, 7, 8, 10}
    assert "“no address” is not an email address" in found[3]
    assert found[5] == "logon: “perhaps” is neither yes nor no."
    assert found[6] == "address: the same stands in line 2 already."
    assert found[7] == "The column “address” is empty."
    assert found[8] == "name: 120 characters at most."
    assert counts(run) == {"new": 2, "changed": 0, "unchanged": 0, "wrong": 6}
    assert set(User.objects.filter(domain__name="x.example").values_list("address", "allow_logon")) == {
        ("good@x.example", True),
        ("last@x.example", False),
    }
    html = north.client.get(page(Import, "change", run.pk)).content.decode()
    assert "“perhaps” is neither yes nor no" in html


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty"),
        ("address,id\na@x.example,1\n", "The column “id” is not known here"),
        ("address,organization\na@x.example,1\n", "The column “organization” is not known here"),
        ("address,address\na@x.example,1\n", "is there twice"),
        ("name\nSomebody\n", "The column “address” is missing"),
        ("address\n\xff".encode("latin-1"), "not UTF-8"),
        (b"PK\x03\x04 no workbook", "The workbook cannot be read"),
        ('address\n"a@x.example" no\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_at_once(north, content, said):
    response = upload(north.client, "users", content or b"\n")
    assert response.status_code == 200
    assert said in response.content.decode()
    assert Import.objects.filter(actor__address="admin@north.example").count() == 0


def test_what_is_wrong_further_down_ends_the_import_in_words(north):
    rows = "".join(f"n{number}@x.example\n" for number in range(300))
    run = checked(north.client, "users", f'address\n{rows}"a" b\n')
    assert "Line 302 cannot be read" in run.problem
    assert run.content is None
    told = north.client.get(page(Import, "change", run.pk)).content.decode()
    assert "Line 302" in told
    assert "Would be new" not in told, "no row was looked at"
    assert not User.objects.filter(domain__name="x.example").exists()


def test_a_file_that_is_too_large_is_refused_in_words(north):
    response = upload(north.client, "users", b"address\n" + b"a" * imports.MAX_BYTES)
    assert "The file may have 10 MB at most." in response.content.decode()


def test_a_file_is_sealed_and_forgotten_in_the_end(north):
    run = checked(north.client, "users", "address\nvery-private@x.example\n")
    assert b"very-private" not in bytes(Import.objects.get(pk=run.pk).content)
    north.client.post(reverse("admin:portal_import_confirm", args=[run.pk]))
    imports.work_off()
    run.refresh_from_db()
    assert run.content is None
    again = checked(north.client, "users", "address\nother@x.example\n")
    north.client.post(reverse("admin:portal_import_cancel", args=[again.pk]))
    again.refresh_from_db()
    assert (again.content, again.cancelled_at is None) == (None, False)
    north.client.post(reverse("admin:portal_import_confirm", args=[again.pk]))
    imports.work_off()
    assert not User.objects.filter(address="other@x.example").exists()


def test_what_nobody_confirms_is_forgotten_after_a_day(north):
    run = checked(north.client, "users", "address\na@x.example\n")
    assert imports.forget_old() == 0
    Import.objects.filter(pk=run.pk).update(ordered_at=timezone.now() - timedelta(hours=25))
    assert imports.forget_old() == 1
    run.refresh_from_db()
    assert run.content is None
    assert run.cancelled_at is not None


def test_whoever_is_stopped_on_the_way_goes_on_where_it_was(north, monkeypatch):
    monkeypatch.setattr(imports, "BATCH_ROWS", 7)
    run = checked(north.client, "users", "address\n" + "".join(f"n{n}@x.example\n" for n in range(50)))
    assert counts(run) == {"new": 50, "changed": 0, "unchanged": 0, "wrong": 0}
    north.client.post(reverse("admin:portal_import_confirm", args=[run.pk]))
    for number in itertools.count(1):
        if not imports.work_off(seconds=1e-9):  # one batch, and the time is up
            break
        assert User.objects.filter(domain__name="x.example").count() == min(50, number * 7)
    run.refresh_from_db()
    assert run.finished_at is not None
    assert counts(run) == {"new": 50, "changed": 0, "unchanged": 0, "wrong": 0}
    assert AuditEvent.objects.filter(action="user.created").count() == 50


def test_a_row_that_breaks_the_portal_does_not_stop_the_others(north, monkeypatch):
    from accounts.directory_files import UserResource

    write = UserResource.write

    def breaks(self, row, *, is_new):
        if row.address == "b@x.example":
            raise RuntimeError("a fault of ours")
        write(self, row, is_new=is_new)

    monkeypatch.setattr(UserResource, "write", breaks)
    run = imported(north.client, "users", "address\na@x.example\nb@x.example\nc@x.example\n")
    assert list(problems(run)) == [3]
    assert "fault of ours" not in problems(run)[3]
    assert User.objects.filter(domain__name="x.example").count() == 2


def test_queries_of_the_page_do_not_grow(north, django_assert_max_num_queries):
    run = checked(north.client, "users", "address\n" + "".join(f"no address {n}\n" for n in range(300)))
    with django_assert_max_num_queries(12):
        html = north.client.get(page(Import, "change", run.pk)).content.decode()
    assert "The first 200 of 300." in html


# --- Whose ----------------------------------------------------------------------------------------------------


def test_anothers_rows_are_other_rows(north, south):
    """The same words in another organisation: rows of one's own are made, and nothing of theirs changes."""
    before = list(User.objects.filter(organization=south.organization).values())
    run = imported(north.client, "users", f"address,name\n{south.user.address},Taken\n")
    assert run.new == 1
    assert list(User.objects.filter(organization=south.organization).values()) == before
    run = imported(north.client, "definitions", "description,may_print\nsouth terms,no\n")
    assert run.new == 1
    assert Definition.objects.get(organization=south.organization, description="south terms").may_print
    run = imported(north.client, "definitions", "description,folder\nMine,south folder\n")
    assert problems(run) == {2: "folder: There is no folder of this name."}


def test_anothers_import_is_absent(north, south, other_administrator, log_in):
    run = checked(north.client, "users", "address\na@x.example\n")
    client = log_in(other_administrator)
    for name in ("confirm", "cancel"):
        assert client.post(reverse(f"admin:portal_import_{name}", args=[run.pk])).status_code == 404
    run.refresh_from_db()
    assert run.waits_for_confirmation


def test_a_file_that_changes_nothing_is_said_to(north):
    run = checked(north.client, "users", f"address,name\n{north.user.address},{north.user.name}\n")
    html = north.client.get(page(Import, "change", run.pk)).content.decode()
    assert "there is nothing to import" in html
    assert "Import the good rows" not in html


def test_a_colleagues_import_is_looked_at_and_not_decided(north, make_user, log_in):
    run = checked(north.client, "users", "address\na@x.example\n")
    client = log_in(make_user(north.organization, "second-admin@north.example", is_staff=True))
    html = client.get(page(Import, "change", run.pk)).content.decode()
    assert "Would be new: 1" in html
    assert "Import the good rows" not in html
    assert client.post(reverse("admin:portal_import_confirm", args=[run.pk])).status_code == 404


def test_a_right_that_is_taken_ends_what_it_allowed(north, administrator):
    run = checked(north.client, "users", "address\na@x.example\n")
    north.client.post(reverse("admin:portal_import_confirm", args=[run.pk]))
    roles.give_role(actor=administrator, user=administrator, role=roles.Role.AUDITOR)
    imports.work_off()
    run.refresh_from_db()
    assert "may not import this any more" in run.problem
    assert not User.objects.filter(address="a@x.example").exists()


def test_the_operator_says_whose(north, south, operator, log_in):
    client = log_in(operator)
    run = imported_for(client, south.organization, "address\nnew@south.example\n")
    assert run.organization == south.organization
    assert User.objects.get(address="new@south.example").organization == south.organization


def imported_for(client, organization, content: str) -> Import:
    assert upload(client, "users", content, organization=organization.pk).status_code == 302
    imports.work_off()
    run = Import.objects.latest("id")
    client.post(reverse("admin:portal_import_confirm", args=[run.pk]))
    imports.work_off()
    run.refresh_from_db()
    return run


def test_an_administrator_does_not_say_whose(north, south):
    upload(north.client, "users", "address\nnew@x.example\n", organization=south.organization.pk)
    assert Import.objects.latest("id").organization == north.organization


def test_administrators_are_not_changed_by_a_file(north, administrator):
    run = imported(north.client, "users", "address,name,logon\nadmin@north.example,Taken,no\n")
    assert "Administrators are changed on their own page" in problems(run)[2]
    administrator.refresh_from_db()
    assert (administrator.name, administrator.allow_logon) == ("Administrator", True)


# --- Each kind, there and back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["users", "domains", "definitions", "licences"])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_what_was_exported_imports_as_it_was(north, south, kind, file_format):
    user = north.user
    User.objects.filter(pk=user.pk).update(name='=HYPERLINK("https://x.example")')
    BulkSenderPack.objects.create(sender=user, recipients=500, first_month=date(2030, 1, 1))
    Definition.objects.filter(pk=north.definition.pk).update(description="@SUM(1+1)", folder=north.folder)
    content = exported(north.client, kind, file_format)
    assert b"south" not in content
    run = imported(north.client, kind, content)
    assert problems(run) == {}
    assert (run.new, run.changed) == (0, 0)
    assert run.unchanged > 0
    assert AuditEvent.objects.filter(action=f"{kind}.exported").count() == 1


def test_erased_people_are_in_no_file_and_no_file_changes_them(north, recipient):
    strip_identity(recipient)
    for kind in ("users", "domains"):
        assert b"erased" not in exported(north.client, kind)
    run = imported(north.client, "users", f"address,name,logon\n{recipient.address},Back,yes\n")
    assert list(problems(run).values()) == ["This person has been erased."]
    recipient.refresh_from_db()
    assert (recipient.name, recipient.allow_logon) == ("Erased person", False)


def test_erased_senders_stay_apart_in_the_licences_and_are_nobody(north, make_user):
    month = licences.month_of(north.user, moments.now())
    for number, name in enumerate(("gone", "also.gone"), 1):
        user = make_user(north.organization, f"{name}@north.example")
        uses = [RecipientUse(sender=user, month=month, address=f"{n}@x.example") for n in range(number)]
        RecipientUse.objects.bulk_create(uses)
        strip_identity(user)
    content = exported(north.client, "licences")
    assert b"erased.invalid" not in content
    rows = rows_of(content)
    assert sum(int(row["used"]) for row in rows) == RecipientUse.objects.filter(month=month).count() == 3
    nobodys = {row["address"]: row["used"] for row in rows if row["name"] == "Erased person"}
    assert nobodys == {"erased person 1": "1", "erased person 2": "2"}
    run = imported(north.client, "licences", content)
    assert (run.changed, len(problems(run))) == (0, 2)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "'=", "''@", "'"])
def test_no_cell_of_a_file_is_a_formula(north, start):
    evil = f"{start}1+1"
    User.objects.filter(pk=north.user.pk).update(name=evil)
    [cell] = [row["name"] for row in rows_of(exported(north.client, "users")) if row["address"] == north.user.address]
    assert cell[0] not in "=+-@\t\r\n"
    book = load_workbook(io.BytesIO(exported(north.client, "users", "xlsx")))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(str(cell.value)[0] in "=+-@\t\r\n" for cell in cells)
    run = imported(north.client, "users", exported(north.client, "users"))
    assert run.changed == 0
    assert User.objects.get(pk=north.user.pk).name == evil


def test_what_a_spreadsheet_made_is_read(north):
    book = Workbook()
    sheet = book.active
    sheet.append(["Description", "expire_after_days", "may_print", None])
    sheet.append(["Thirty", 30, True])
    sheet.append([None, None, None])
    sheet.append(["=1+1", 30.0, "no"])
    sheet.append(["Half", 30.5, "no"])
    file = io.BytesIO()
    book.save(file)
    run = imported(north.client, "definitions", file.getvalue())
    assert problems(run) == {5: "expire_after_days: “30.5” is not a whole number."}
    assert set(
        Definition.objects.filter(expire_after_days=30, is_default=False).values_list("description", "may_print")
    ) == {("Thirty", True), ("=1+1", False)}


def test_semicolons_separate_too(north):
    run = imported(north.client, "users", "address;name\na@x.example;A, the first\n")
    assert problems(run) == {}
    assert User.objects.get(address="a@x.example").name == "A, the first"


def test_domains(north):
    content = "domain,directory\nnew.example,internal\nBücher.example,external\nnorth.example,external\n-,external\n"
    run = imported(north.client, "domains", content)
    assert counts(run) == {"new": 2, "changed": 0, "unchanged": 0, "wrong": 2}
    assert "in the other directory already" in problems(run)[4]
    assert Domain.objects.get(name="new.example").is_internal
    assert not Domain.objects.get(name="xn--bcher-kva.example").is_internal


def test_definitions(north, events):
    default = Definition.objects.create(organization=north.organization, description="Fixed", is_default=True)
    content = (
        "description,folder,expire_after_days,may_print,extensions\n"
        "north terms,north folder,7,no,0\n"
        "Fixed,,1,no,1\n"
        "Never,,,yes,2\n"
        "Too long,,4000,yes,2\n"
    )
    run = imported(north.client, "definitions", content)
    assert set(problems(run)) == {3, 5}
    assert "stays as it is" in problems(run)[3]
    north.definition.refresh_from_db()
    assert (north.definition.folder, north.definition.expire_after_days, north.definition.may_print) == (
        north.folder,
        7,
        False,
    )
    assert events(north.definition) == [("admin@north.example", "definition.changed")]
    new = Definition.objects.get(description="Never")
    assert (new.expire_after_days, new.extensions, new.position > north.definition.position) == (None, 2, True)
    default.refresh_from_db()
    assert default.may_print


def test_two_definitions_of_one_name_are_told_apart_by_hand(north):
    Definition.objects.create(organization=north.organization, description="north terms")
    run = imported(north.client, "definitions", "description,may_print\nnorth terms,no\n")
    assert "Several definitions have this description" in problems(run)[2]


def test_licences(north, colleague, recipient, sender, events):
    old = BulkSenderPack.objects.create(sender=sender, recipients=100, first_month=date(2029, 1, 1))
    kept = BulkSenderPack.objects.create(sender=sender, recipients=200, first_month=date(2029, 1, 1))
    content = (
        "address,licensed,packs\n"
        "colleague@north.example,yes,\n"
        "sender@north.example,yes,200 2029-01;500 2030-01 2030-12\n"
        "first@outside.example,yes,\n"
        "nobody@north.example,yes,\n"
    )
    run = imported(north.client, "licences", content)
    assert problems(run) == {
        4: "Only internal users can be licensed senders.",
        5: "There is no user with this address.",
    }
    colleague.refresh_from_db()
    assert colleague.is_licensed
    assert events(colleague) == [("admin@north.example", "user.licensed")]
    found = BulkSenderPack.objects.filter(sender=sender)
    assert set(found.values_list("recipients", "last_month")) == {(200, None), (500, date(2030, 12, 1))}
    assert kept in found
    assert old not in found
    assert [action for _who, action in events(sender) if "pack" in action] == [
        "bulk_sender_pack.added",
        "bulk_sender_pack.removed",
    ]


@pytest.mark.parametrize("packs", ["500", "500 2030-13", "0 2030-01", "500 2030-02 2030-01", "many 2030-01"])
def test_packs_that_cannot_be_are_named(north, sender, packs):
    run = imported(north.client, "licences", f"address,licensed,packs\nsender@north.example,no,{packs}\n")
    assert set(problems(run)) == {2}
    sender.refresh_from_db()
    assert sender.is_licensed  # the row as a whole is left out
    assert not BulkSenderPack.objects.exists()


# --- Who ------------------------------------------------------------------------------------------------------

KINDS = ("domains", "users", "definitions", "licences")


@pytest.mark.parametrize(
    ("role", "may_import", "may_export"),
    [
        ("", True, True),
        (roles.Role.BASIC, True, True),
        (roles.Role.HELP_DESK, False, False),
        (roles.Role.AUDITOR, False, True),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_who_imports_and_exports(north, administrator, make_user, log_in, kind, role, may_import, may_export):
    user = make_user(north.organization, "played@north.example", is_staff=True)
    roles.give_role(actor=administrator, user=user, role=role)
    client = just_confirmed(log_in(user))
    url = reverse("admin:portal_import_upload", args=[kind])
    assert client.get(url).status_code == (200 if may_import else 403)
    assert upload(client, kind, "x\n").status_code == (200 if may_import else 403)
    url = reverse("admin:portal_import_export", args=[kind])
    assert client.get(url).status_code == (200 if may_export else 403)
    assert client.post(url, {"file_format": "csv"}).status_code == (200 if may_export else 403)
    model = {"domains": Domain, "users": User, "definitions": Definition}.get(kind)
    if role == roles.Role.AUDITOR and model not in (None, Domain):
        html = client.get(page(model, "changelist")).content.decode()
        assert url in html
        assert reverse("admin:portal_import_upload", args=[kind]) not in html


def test_who_it_is_is_asked_before_a_table_leaves(north):
    just_confirmed(north.client, timedelta(minutes=6))
    url = reverse("admin:portal_import_export", args=["users"])
    assert north.client.post(url, {"file_format": "csv"}).url.startswith("/account/confirm/")
    assert not AuditEvent.objects.filter(action="users.exported").exists()


def test_what_is_unknown_is_absent(north):
    assert north.client.get(reverse("admin:portal_import_upload", args=["sessions"])).status_code == 404
    assert north.client.get(reverse("admin:portal_import_export", args=["sessions"])).status_code == 404


def test_the_lists_lead_to_their_files(north):
    for model, kind in [(User, "users"), (Definition, "definitions")]:
        html = north.client.get(page(model, "changelist")).content.decode()
        assert reverse("admin:portal_import_upload", args=[kind]) in html
        assert reverse("admin:portal_import_export", args=[kind]) in html


def test_the_chain_holds_afterwards(north):
    imported(north.client, "users", "address\n" + "".join(f"n{n}@x.example\n" for n in range(20)))
    audit.link_all(everything=True)
    assert audit.verify(north.organization).intact


# --- How much ---------------------------------------------------------------------------------------------------


def traced_peak(act) -> int:
    """The most bytes that were held at once. Garbage is collected at short intervals, for it lies the longer the more
    else there is, and comes to more than what is held; what a test run has piled up is put aside."""
    gc.collect()
    gc.freeze()
    gc.collect()  # of nothing: full rounds wait for a quarter of what the last one left
    usual = gc.get_threshold()
    gc.set_threshold(200, 2, 2)
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.set_threshold(*usual)
        gc.unfreeze()


def of_wrong_rows(number: int, file_format: str = "csv") -> bytes:
    rows = (["address", "name"], *([f"no address {n}", "Nobody"] for n in range(number)))
    if file_format == "csv":
        return "".join(",".join(row) + "\n" for row in rows).encode()
    book, file = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_row_more_takes_little_more_memory(north, file_format):
    """Its share of the file itself, and its key; rows are read and written in batches. 50,000 come to 20 MB at most."""

    def peak(rows: int) -> int:
        assert upload(north.client, "users", of_wrong_rows(rows, file_format)).status_code == 302
        return traced_peak(lambda: imports.work_off(seconds=120))

    peak(100)  # what is kept for good is there
    assert (peak(1500) - peak(500)) / 1000 < 400  # bytes


def test_fifty_thousand_rows_are_worked_off(north):
    """The first that are wrong are named, the others counted."""
    rows = amount(50_000)
    assert upload(north.client, "users", of_wrong_rows(rows)).status_code == 302
    imports.work_off(seconds=120)
    run = Import.objects.latest("id")
    assert (run.total, run.position, run.wrong) == (rows, rows, rows)
    assert run.problems.count() == imports.MOST_PROBLEMS


def test_a_small_workbook_that_unpacks_to_gigabytes_is_refused(north):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sheet.xml", "w") as sheet:
        for _piece in range(301):
            sheet.write(bytes(1024 * 1024))
    response = upload(north.client, "users", file.getvalue())
    assert "too large once unpacked" in response.content.decode()


def test_a_workbook_whose_words_multiply_is_refused(north):
    """Entities that stand for entities ("billion laughs") do not unfold."""
    book, evil = Workbook(), io.BytesIO()
    book.active.append(["address"])
    file = io.BytesIO()
    book.save(file)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(evil, "w") as written:
        for name in archive.namelist():
            content = archive.read(name)
            if b"address" in content:  # the sheet itself
                head = f'<!DOCTYPE worksheet [<!ENTITY l0 "laugh">{laughs}]>'
                content = head.encode() + content.replace(b"address", b"&l9;")
            written.writestr(name, content)
    response = upload(north.client, "users", evil.getvalue())
    assert "The workbook cannot be read" in response.content.decode()
