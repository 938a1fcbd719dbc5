"""How rows of a file become rows of one organisation, and back: django-import-export's resources, with what all of
ours have in common.

A row is found by its key, a word people know (an address, a description), among the organisation's own rows. A file
holds no ids and no organisation, so that there is nothing in it to forge. What is written goes through the same verbs
as the console's pages, each with its audit event.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from import_export import fields, resources, widgets
from import_export.results import RowResult

from .models import Organization
from .table_files import MAX_CELL, Row

logger = logging.getLogger(__name__)
_MAX_PROBLEM = 300


class YesNoWidget(widgets.Widget):
    """ "yes" or "no", in files of every language."""

    words: ClassVar[dict[str, bool]] = {"yes": True, "no": False}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> bool:
        try:
            return self.words[str(value).strip().lower()]
        except KeyError:
            first, second = self.words
            text = _("“%(value)s” is neither %(first)s nor %(second)s.")
            raise ValueError(text % {"value": str(value)[:40], "first": first, "second": second}) from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return next(word for word, meant in self.words.items() if meant == bool(value))


class NumberWidget(widgets.Widget):
    """A whole number, or, where that means something, nothing."""

    def __init__(self, *, may_be_empty: bool = False) -> None:
        super().__init__()
        self.may_be_empty = may_be_empty

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        text = str(value).strip()
        if not text and self.may_be_empty:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ValueError(_("“%s” is not a whole number.") % text[:40])
        return int(text)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Outcome:
    """What became of one row: new, changed or unchanged; or wrong, and why."""

    what: str
    problem: str = ""


class TableResource(resources.Resource):
    """One kind of file. Subclasses declare fields, `key` and `explained`, find rows and write them."""

    model: ClassVar[type[models.Model]]
    key: ClassVar[str]
    # What stands in each column, in words: shown where a file is asked for.
    explained: ClassVar[dict[str, Any]]

    class Meta:
        skip_unchanged = True
        skip_html_diff = True

    def __init__(self, organization: Organization, actor: Any = None) -> None:
        super().__init__()
        self.organization, self.actor = organization, actor
        self.known: dict[str, Any] = {}

    # --- What a kind says ---------------------------------------------------------------------------------------

    def find(self, keys: Sequence[str]) -> dict[str, Any]:
        """The organisation's rows with these keys."""
        raise NotImplementedError

    def normalized(self, key: str) -> str:
        """The key as `find` knows it; ValidationError when it cannot be one."""
        return key

    def write(self, row: Any, *, is_new: bool) -> None:
        """Lock, check, change, audit: what the library has put into the (unsaved) row."""
        raise NotImplementedError

    def prepared(self, row: Any) -> Any:
        """The row with whatever its fields read beside the model's own."""
        return row

    def everything(self) -> models.QuerySet:
        """What an export holds."""
        raise NotImplementedError

    # --- Reading a batch ----------------------------------------------------------------------------------------

    @classmethod
    def columns(cls) -> list[str]:
        return list(cls.explained)

    def take(self, rows: Iterable[Row]) -> list[Outcome]:
        """Each row in a savepoint of its own: what is wrong with one does not touch the others."""
        rows = list(rows)
        self.known = self.find([key for row in rows if (key := self._key_or_nothing(row))])
        return [self._take_one(row) for row in rows]

    def _key_or_nothing(self, row: Row) -> str:
        try:
            return self.normalized(row[self.key])
        except ValidationError:
            return ""

    def _take_one(self, row: Row) -> Outcome:
        with transaction.atomic():
            result = self.import_row(row, None, row_number=0, using_transactions=True)
            if not result.is_valid():
                transaction.set_rollback(True)
        if result.validation_error:
            return Outcome("wrong", _in_words(result.validation_error, self))
        if result.errors:
            logger.error("a row could not be imported", exc_info=result.errors[0].error)
            return Outcome("wrong", _("This row could not be imported; the server’s log says why."))
        return Outcome(_WHAT[result.import_type])

    # --- The library's hooks ------------------------------------------------------------------------------------

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, value in row.items():
            if len(value) > MAX_CELL or not value.isprintable():
                raise ValidationError({name: _("This is too long, or holds characters that cannot be printed.")})
        if not row[self.key]:
            raise ValidationError(_("The column “%s” is empty.") % self.key)
        row[self.key] = self.normalized(row[self.key])

    def get_instance(self, instance_loader: Any, row: Any) -> Any:
        return self.known.get(row[self.key])

    def init_instance(self, row: Any = None) -> Any:
        return self.model(organization=self.organization)

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        self.write(instance, is_new=is_create)

    # --- Writing a file -----------------------------------------------------------------------------------------

    def export_rows(self) -> Iterable[list[str]]:
        """Cell by cell as `explained` names the columns, one row at a time."""
        wanted = {field.column_name: field for field in self.fields.values()}
        for row in self.everything().iterator(chunk_size=1000):
            yield [wanted[column].export(self.prepared(row)) for column in self.columns()]


_WHAT = {
    RowResult.IMPORT_TYPE_NEW: "new",
    RowResult.IMPORT_TYPE_UPDATE: "changed",
    RowResult.IMPORT_TYPE_SKIP: "unchanged",
}


def _in_words(error: ValidationError, resource: TableResource) -> str:
    """One sentence or more, each with the column it is about."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)[:_MAX_PROBLEM]
    columns = {field.attribute: field.column_name for field in resource.fields.values()}
    found = []
    for name, messages in error.message_dict.items():
        text = " ".join(messages)
        found.append(text if name == NON_FIELD_ERRORS else f"{columns.get(name, name)}: {text}")
    return " ".join(found)[:_MAX_PROBLEM]


def column(name: str, attribute: str | None = None, widget: Any = None, *, readonly: bool = False) -> fields.Field:
    """A field of a resource; read-only: exported, and of no account when it is read."""
    return fields.Field(attribute=attribute or name, column_name=name, widget=widget, readonly=readonly)
