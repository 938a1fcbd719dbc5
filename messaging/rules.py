"""What the reader of a copy may do, and in words. The rules themselves were copied from the definition when the message
was sent (definitions.py).

Authors are free with what they wrote themselves, and with nothing else: what a message quotes is under its own rules,
whoever holds the answer, or to answer would be the way around them.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.prepared import Prepared

from .models import Definition, MailboxEntry, Message, Recipient
from .models.definition import MessageRules

_FORBIDDEN = {
    "may_forward": gettext_lazy("The sender does not allow this message to be forwarded."),
    "may_print": gettext_lazy("The sender does not allow this message to be printed."),
    "may_download": gettext_lazy("The sender does not allow this message to be downloaded."),
}
_FORBIDDEN_BY_QUOTES = {
    "may_forward": gettext_lazy("It quotes a message that may not be forwarded."),
    "may_print": gettext_lazy("It quotes a message that may not be printed."),
    "may_download": gettext_lazy("It quotes a message that may not be downloaded."),
}


def allow_reply(entry: MailboxEntry, *, to_all: bool) -> bool:
    """The author of a message may always write to its recipients again; recipients as the definition says. Who is in
    Bcc would show everybody by a Reply All that they have it."""
    if entry.is_authors or not to_all:
        return entry.is_authors or entry.message.may_reply
    return entry.message.may_reply_all and not _is_hidden(entry)


def _is_hidden(entry: MailboxEntry) -> bool:
    return entry.recipient is not None and entry.recipient.role == Recipient.Role.BCC


def why_not(entry: MailboxEntry, verb: str, quoted: Sequence[Message] | None = None) -> str:
    """Why the reader of this copy may not do it, in a sentence; empty where they may. quoted: what `quoted_by` found,
    where it has been asked."""
    if not entry.is_authors and not getattr(entry.message, verb):
        return str(_FORBIDDEN[verb])
    quoted = quoted_by(entry.message) if quoted is None else quoted
    return str(_FORBIDDEN_BY_QUOTES[verb]) if verb in _forbidden_by(quoted, entry.owner_id) else ""


def quoted_by(message: Message) -> Sequence[Message]:
    """The messages quoted under it: their rules, and who wrote them. One query; none where it is no answer."""
    if message.in_reply_to_id is None and message.forwards_id is None:
        return []
    return _quoted_by(message=message.id)


_quoted_by = Prepared(
    lambda message: Message.objects.filter(quoted_in__message=message, quoted_in__content__isnull=False).only(
        "sender", *_FORBIDDEN
    )
)


def why_not_pass_on(draft: Message) -> str:
    """Why its author may not send what a draft quotes to people who are not on what it answers; empty where they
    may."""
    forbidden = "may_forward" in _forbidden_by(quoted_by(draft), draft.sender_id)
    return str(_FORBIDDEN_BY_QUOTES["may_forward"]) if forbidden else ""


def _forbidden_by(quoted: Sequence[Message], reader: UUID | None = None) -> set[str]:
    """The verbs: to this reader, who is free with what is their own; or to anybody at all."""
    others = [one for one in quoted if one.sender_id != reader]
    return {verb for verb in _FORBIDDEN if not all(getattr(one, verb) for one in others)}


def allowed_in_words(
    entry: MailboxEntry, quoted: Sequence[Message], *, can_reply: bool, can_reply_all: bool, can_forward: bool
) -> list[str]:
    """Sentences for the message page: what the reader of this copy may and may not do. can_reply, can_reply_all:
    whether there is somebody to write to, too (replies.py); can_forward: whether they may write to others at all."""
    message = entry.message
    quotes_forbid = _forbidden_by(quoted, entry.owner_id)
    if entry.is_authors:
        named = recipients_may(message, without=_forbidden_by(quoted))
        recipients = _("Recipients may: %(verbs)s.") % {"verbs": named} if named else _("Recipients may only read.")
        return [recipients, *_quotes_in_words(quotes_forbid)]
    answering = _answering(can_reply, can_reply_all)
    if not (can_reply or can_reply_all) and any(allow_reply(entry, to_all=to_all) for to_all in (False, True)):
        answering = _("There is nobody left to reply to.")
    rules = {verb for verb in _FORBIDDEN if getattr(message, verb)}
    may = rules - quotes_forbid - (set() if can_forward else {"may_forward"})
    return [answering, *_beside_answering(may, quotes_forbid=rules & quotes_forbid)]


def _quotes_in_words(forbidden: Collection[str]) -> list[str]:
    return [str(sentence) for verb, sentence in _FORBIDDEN_BY_QUOTES.items() if verb in forbidden]


def may_print(entry: MailboxEntry, quoted: Sequence[Message] | None = None) -> bool:
    return not why_not(entry, "may_print", quoted)


def may_download(entry: MailboxEntry, quoted: Sequence[Message] | None = None) -> bool:
    return not why_not(entry, "may_download", quoted)


def preview(definition: Definition) -> list[str]:
    """What somebody who gets a message under this definition will be told, as it stands."""
    days = definition.expire_after_days
    if days is None:
        until = _("The message can be read until it is destroyed at the end of the retention.")
    else:
        until = ngettext("The message can be read for %d day.", "The message can be read for %d days.", days) % days
    answering = _answering(definition.may_reply, definition.may_reply_all)
    return [answering, *_beside_answering({verb for verb in _FORBIDDEN if getattr(definition, verb)}), until]


def _beside_answering(may: Collection[str], quotes_forbid: Collection[str] = ()) -> list[str]:
    sentences = []
    if "may_forward" in may:
        sentences.append(_("You may forward this message."))
    if "may_download" in may:
        sentences.append(_("You may download this message."))
    if "may_print" in may:
        sentences.append(_("You may print this message."))
    elif "may_print" not in quotes_forbid:
        sentences.append(_("Printing is not allowed."))
    return [*sentences, *_quotes_in_words(quotes_forbid)]


def _answering(may_reply: bool, may_reply_all: bool) -> str:
    if may_reply and may_reply_all:
        return _("You may reply to the sender or to everyone.")
    if may_reply:
        return _("You may reply to the sender only.")
    if may_reply_all:
        return _("You may reply to everyone.")
    return _("Replies are not allowed.")


def recipients_may(rules: MessageRules, without: Collection[str] = ()) -> str:
    """The verbs, with commas between; empty where they may only read."""
    verbs = {
        "may_reply": _("reply"),
        "may_reply_all": _("reply to all"),
        "may_forward": _("forward"),
        "may_print": _("print"),
        "may_download": _("download"),
    }
    return ", ".join(word for verb, word in verbs.items() if getattr(rules, verb) and verb not in without)
