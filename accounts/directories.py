"""The directories: who has an address here, and whether they may come in.

Addresses are stored in one form (lower case, the domain in its ASCII form), so that equal means the same mailbox.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction
from django.utils.translation import gettext as _

from portal import audit, moments

from . import sessions
from .models import Domain, User
from .telling import tell_of_administrator

MAX_NAME = 120
_is_address = EmailValidator(allowlist=[])
# Characters that the IDNA of 2003, which Python knows, and today's (RFC 5891) turn into different domains.
_AMBIGUOUS = frozenset("ßς\u200c\u200d")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class InvalidAddress(ValueError):
    """Text that is not an e-mail address; the message is for people."""


class InvalidAddresses(ValueError):
    """A list of addresses with wrong ones in it: (text, why) for each; why is a sentence that names the text."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(why for _text, why in problems))
        self.problems = problems


@dataclass(frozen=True)
class ParsedAddress:
    address: str
    name: str


# --- Reading what people type ---------------------------------------------------------------------------------


def normalize_address(text: str) -> str:
    """The address in the form it is stored in. InvalidAddress names the text and says what is wrong.

    Before the @ only ASCII is taken: mail servers that carry more (SMTPUTF8) are not to be counted on, and a
    notification that cannot be delivered helps nobody.
    """
    text = unicodedata.normalize("NFC", text).strip()
    local, _at, domain = text.rpartition("@")
    if not local or not domain:
        raise InvalidAddress(_no_address(text))
    if not local.isascii() or '"' in local:
        raise InvalidAddress(
            _("“%(text)s” cannot be used: before the @ only plain letters, digits and signs such as . _ - + may stand.")
            % {"text": _shortened(text)}
        )
    address = f"{local.lower()}@{_ascii_domain(domain, text)}"
    try:
        _is_address(address)
    except ValidationError:
        raise InvalidAddress(_no_address(text)) from None
    if len(address) > 254 or len(local) > 64:
        raise InvalidAddress(_("“%(text)s” is too long for an email address.") % {"text": _shortened(text)})
    return address


def _ascii_domain(domain: str, text: str) -> str:
    if domain.startswith("["):
        raise InvalidAddress(_no_address(text))
    if _AMBIGUOUS & set(domain.lower()):
        raise InvalidAddress(
            _("“%(text)s” can be read in two ways: please write its domain in the form that starts with xn--.")
            % {"text": _shortened(text)}
        )
    ascii_domain = _idna(domain)
    if ascii_domain is None:
        raise InvalidAddress(_no_address(text))
    return ascii_domain


@lru_cache  # the same few in a list of 500 addresses
def _idna(domain: str) -> str | None:
    try:
        return domain.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return None


def as_written(domain: str) -> str:
    """A domain in its own letters; one that is not international, as it is."""
    try:
        return domain.encode().decode("idna")
    except UnicodeError:
        return domain


def _no_address(text: str) -> str:
    return _("“%(text)s” is not an email address. One looks like name@example.org.") % {"text": _shortened(text)}


def _shortened(text: str) -> str:
    text = " ".join(CONTROLS.sub(" ", text).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def parse_addresses(text: str) -> list[ParsedAddress]:
    """What stands in a To, Cc or Bcc field: "Name <a@b>, c@d; e@f", or one a line. Each address once.

    InvalidAddresses names every wrong one.
    """
    found: dict[str, ParsedAddress] = {}
    problems: list[tuple[str, str]] = []
    for item in _items(text):
        name, address = _name_and_address(item)
        try:
            parsed = ParsedAddress(normalize_address(address), name)
        except InvalidAddress as error:
            problems.append((item, str(error)))
        else:
            found.setdefault(parsed.address, parsed)
    if problems:
        raise InvalidAddresses(problems)
    return list(found.values())


def _items(text: str) -> list[str]:
    """Split at commas, semicolons and line ends outside quotation marks and angle brackets, and after every address:
    a list that is pasted into a field of one line has only spaces where its lines ended."""
    items = _split_with_care(text) if set('"<>').intersection(text) else re.split(r"[,;\r\n]", text)
    return [part for item in items for part in _bare_ones_first(item.strip()) if part]


def _split_with_care(text: str) -> list[str]:
    items, current, quoted, bracketed = [], "", False, False
    for character in text:
        if character in "\r\n" or (character in ",;" and not quoted and not bracketed):
            items.append(current)
            current, quoted, bracketed = "", False, False
            continue
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "<>":
            bracketed = character == "<"
        current += character
        if character == ">" and not quoted:
            items.append(current)
            current = ""
    items.append(current)
    return items


def _bare_ones_first(item: str) -> list[str]:
    """Addresses without a name, and what follows them."""
    words = item.split()
    count = next((at for at, word in enumerate(words) if not _is_bare(word)), len(words))
    return [*words[:count], " ".join(words[count:])] if count else [item]


def _is_bare(word: str) -> bool:
    return "@" in word[1:-1] and not set('"<>').intersection(word)


def _name_and_address(item: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?s)(.*)<([^<>]*)>", item)
    if not match:
        return "", item
    name = CONTROLS.sub(" ", match[1]).strip().strip('"').replace('\\"', '"').strip()
    return name[:MAX_NAME], match[2]


# --- What an administrator decides ----------------------------------------------------------------------------


def normalize_domain(text: str) -> str:
    """A domain in the form it is stored in; ValidationError for anything else."""
    try:
        return domain_of(normalize_address(f"postmaster@{text.strip().lstrip('@')}"))
    except InvalidAddress:
        raise ValidationError(_("Not a domain: it needs a form such as example.org.")) from None


def create(*, actor: User, user: User) -> None:
    """Put an (unsaved) user into the directories, without a password or a licence."""
    name = domain_of(user.address)
    with transaction.atomic():
        user.domain, _new = Domain.objects.get_or_create(organization=user.organization, name=name)
        user.set_unusable_password()
        user.save(force_insert=True)
        audit.record(user.organization, "user.created", actor=actor, about=user.pk, name=user.address)


def change_name(*, actor: User, user: User, name: str) -> None:
    """Change what a person is called."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(name=name).update(name=name):
            audit.record(user.organization, "user.changed", actor=actor, about=user.pk, fields=["name"])
    user.name = name


def disable(*, actor: User, user: User) -> None:
    """End the person's access, at once and everywhere; their mail stays."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, disabled_at__isnull=True).update(disabled_at=moments.now()):
            sessions.end_sessions(user)
            event = audit.record(user.organization, "user.disabled", actor=actor, about=user.pk)
            tell_of_administrator(user, event)
    user.refresh_from_db(fields=["disabled_at"])


def enable(*, actor: User, user: User) -> None:
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, disabled_at__isnull=False).update(disabled_at=None):
            event = audit.record(user.organization, "user.enabled", actor=actor, about=user.pk)
            tell_of_administrator(user, event)
    user.disabled_at = None


def allow_logon(*, actor: User, user: User, allowed: bool) -> None:
    """Switch "Allow Secure Messaging Logon"; off ends the person's sessions."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(allow_logon=allowed).update(allow_logon=allowed):
            if not allowed:
                sessions.end_sessions(user)
            action = "user.logon_allowed" if allowed else "user.logon_forbidden"
            tell_of_administrator(user, audit.record(user.organization, action, actor=actor, about=user.pk))
    user.allow_logon = allowed


@transaction.atomic
def make_internal(*, actor: User, domain: Domain) -> None:
    """An external domain is the organisation's own after all; its users are internal from now on."""
    if Domain.objects.filter(pk=domain.pk, is_internal=False).update(is_internal=True):
        audit.record(domain.organization, "domain.made_internal", actor=actor, about=domain.pk, name=domain.name)
    domain.is_internal = True


def license_sender(*, actor: User, user: User, licensed: bool) -> None:
    """Give or take a sender's licence. ValidationError for an external user: they may not have one."""
    if licensed and not user.is_internal:
        raise ValidationError(_("Only internal users can be licensed senders."), code="external")
    with transaction.atomic():
        if User.objects.filter(pk=user.pk).exclude(is_licensed=licensed).update(is_licensed=licensed):
            action = "user.licensed" if licensed else "user.licence_taken"
            audit.record(user.organization, action, actor=actor, about=user.pk)
    user.is_licensed = licensed
