"""A message's rules in words: what the reader of a copy may do. The rules themselves were copied from the definition
when the message was sent (definitions.py)."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import Definition, MailboxEntry
from .models.definition import MessageRules


def allowed_in_words(entry: MailboxEntry, *, can_reply: bool, can_reply_all: bool) -> list[str]:
    """Sentences for the message page: what the reader of this copy may and may not do. can_reply, can_reply_all:
    whether there is somebody to write to, too (replies.py)."""
    message = entry.message
    if entry.is_authors:
        named = recipients_may(message)
        return [_("Recipients may: %(verbs)s.") % {"verbs": named} if named else _("Recipients may only read.")]
    answering = _answering(can_reply, can_reply_all)
    if not (can_reply or can_reply_all) and (message.may_reply or message.may_reply_all):
        answering = _("There is nobody left to reply to.")
    return [answering, *_beside_answering(message)]


def may_print(entry: MailboxEntry) -> bool:
    return entry.is_authors or entry.message.may_print


def may_download(entry: MailboxEntry) -> bool:
    return entry.is_authors or entry.message.may_download


def preview(definition: Definition) -> list[str]:
    """What somebody who gets a message under this definition will be told, as it stands."""
    days = definition.expire_after_days
    if days is None:
        until = _("The message can be read until it is destroyed at the end of the retention.")
    else:
        until = ngettext("The message can be read for %d day.", "The message can be read for %d days.", days) % days
    answering = _answering(definition.may_reply, definition.may_reply_all)
    return [answering, *_beside_answering(definition), until]


def _beside_answering(rules: MessageRules) -> list[str]:
    may = []
    if rules.may_forward:
        may.append(_("You may forward this message."))
    if rules.may_download:
        may.append(_("You may download this message."))
    may.append(_("You may print this message.") if rules.may_print else _("Printing is not allowed."))
    return may


def _answering(may_reply: bool, may_reply_all: bool) -> str:
    if may_reply and may_reply_all:
        return _("You may reply to the sender or to everyone.")
    if may_reply:
        return _("You may reply to the sender only.")
    if may_reply_all:
        return _("You may reply to everyone.")
    return _("Replies are not allowed.")


def recipients_may(message: MessageRules) -> str:
    """The verbs, with commas between; empty where they may only read."""
    may = [
        (message.may_reply, _("reply")),
        (message.may_reply_all, _("reply to all")),
        (message.may_forward, _("forward")),
        (message.may_print, _("print")),
        (message.may_download, _("download")),
    ]
    return ", ".join(word for allowed, word in may if allowed)
