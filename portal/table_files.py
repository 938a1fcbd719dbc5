"""Tables as files: CSV (RFC 4180, UTF-8) and XLSX, read and written row by row.

A cell that a spreadsheet would run as a formula begins with an apostrophe in what is written, and loses it when it is
read back, so that a file that was exported imports as it was.
"""

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, TypeVar

from django.utils.translation import gettext as _

MAX_ROWS = 100_000
MAX_COLUMNS = 50
MAX_CELL = 2_000
# What an XLSX file may unpack to: a small one can hold gigabytes of nothing.
MAX_UNPACKED_BYTES = 300 * 1024 * 1024
# What a spreadsheet takes for a formula at the beginning of a cell (ASVS 1.2.10), apostrophes of ours before it or not.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\x00]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n\x00]")
# Characters that XML 1.0 cannot carry.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Row = dict[str, str]
_T = TypeVar("_T")


class UnreadableFile(ValueError):
    """The file as a whole cannot be used; the message says why, in a sentence."""


# --- One cell -------------------------------------------------------------------------------------------------


def harmless(value: Any) -> str:
    """The value as a cell that no spreadsheet runs."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """What `harmless` was given."""
    return cell[1:] if _ESCAPED.match(cell) else cell


# --- Writing --------------------------------------------------------------------------------------------------


def csv_line(cells: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([harmless(cell) for cell in cells])
    return buffer.getvalue()


def as_csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """Piece by piece. With a byte order mark, without which Excel takes UTF-8 for something else."""
    yield "\ufeff".encode()
    yield csv_line(columns).encode()
    for row in rows:
        yield csv_line(row).encode()


def as_xlsx(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """One sheet of nothing but text. openpyxl keeps its rows in a temporary file until the sheet is complete."""
    from openpyxl import Workbook  # here: slow to import, and few requests need it
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in itertools.chain([columns], rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=_NO_XML.sub("\ufffd", harmless(value)))
            cell.data_type = "s"  # whatever it looks like
            cells.append(cell)
        sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    yield buffer.getvalue()


WRITERS = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}


# --- Reading --------------------------------------------------------------------------------------------------


def format_of(content: bytes) -> str:
    """Told by the bytes: an XLSX file is a ZIP archive, everything else has to be text."""
    return "xlsx" if content.startswith(b"PK\x03\x04") else "csv"


def read(content: bytes, columns: Iterable[str], needed: Iterable[str]) -> Iterator[tuple[int, Row]]:
    """(line, row) for each row that is not empty, in the order of the file, counted as the file counts.

    UnreadableFile when it is no table, has a column that is not among `columns`, or lacks one that is needed.
    """
    lines = _xlsx_lines(content) if format_of(content) == "xlsx" else _csv_lines(content)
    header = next((cells for _line, cells in lines if any(cells)), None)
    if header is None:
        raise UnreadableFile(_("The file is empty."))
    names = _names(header, list(columns), list(needed))
    for count, (line, cells) in enumerate(lines, 1):
        if count > MAX_ROWS:
            raise UnreadableFile(_("The file has more than %d rows. Please split it.") % MAX_ROWS)
        row = {name: restored(cell).strip() for name, cell in zip(names, cells, strict=False)}
        if any(row.values()):
            yield line, row


def _names(header: list[str], columns: list[str], needed: list[str]) -> list[str]:
    names = [restored(cell).strip().lower() for cell in header]
    while names and not names[-1]:  # spreadsheets keep empty columns at the right
        names.pop()
    known = ", ".join(columns)
    for name in names:
        if name not in columns:
            text = _("The column “%(name)s” is not known here. The first row names the columns: %(known)s.")
            raise UnreadableFile(text % {"name": name[:60], "known": known})
        if names.count(name) > 1:
            raise UnreadableFile(_("The column “%s” is there twice.") % name)
    for name in needed:
        if name not in names:
            text = _("The column “%(name)s” is missing. The first row names the columns: %(known)s.")
            raise UnreadableFile(text % {"name": name, "known": known})
    return names


def _csv_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        first = text.readline()
        text.seek(0)
        # Spreadsheets of half of Europe separate by semicolons.
        reader = csv.reader(text, delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
        while (cells := next(reader, None)) is not None:
            yield reader.line_num, [cell[: MAX_CELL + 1] for cell in cells[:MAX_COLUMNS]]
    except UnicodeDecodeError:
        raise UnreadableFile(_("The file is not UTF-8 text. Save it as “CSV UTF-8”, or as an XLSX workbook.")) from None
    except csv.Error:
        raise UnreadableFile(_("Line %d cannot be read: a quotation mark is out of place.") % reader.line_num) from None


def _xlsx_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # here: slow to import, and few requests need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise UnreadableFile(_("The workbook is too large once unpacked. Please split it, or save it as CSV."))
        # Formulas stay the text they are: nothing is computed, and what another program once computed is not believed.
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheet: Any = book.worksheets[0]
        for line, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), 1):
            yield line, [_text(cell)[: MAX_CELL + 1] for cell in cells]
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl answers a damaged file with whatever it stumbles over
        raise UnreadableFile(_("The workbook cannot be read. Save it anew as XLSX, or as CSV.")) from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def in_batches(rows: Iterator[_T], size: int) -> Iterator[list[_T]]:
    """The rows in lists of at most `size`."""
    while batch := list(itertools.islice(rows, size)):
        yield batch
