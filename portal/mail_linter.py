"""The linter of notification texts: what makes a mail look like a promotion or like phishing, to a filter or to its
reader, is refused before it is saved, each with a sentence that says what and why.

The portal's own texts pass it too, in every mail that an organisation may word (a test holds this).
"""

import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .letters import Letter
from .wordings import PLACEHOLDER, Wording

FEWEST_WORDS = 4
MOST_CAPITALS = 1  # words written in capitals altogether, of four letters or more

_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,253}")
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}:/{2}|www\.)[^\s<>]{1,300}", re.IGNORECASE)
# What mail programs turn into a link by themselves.
_HOST = re.compile(r"\b[^\W_][\w-]{0,62}(?:\.[\w-]{1,63}){0,5}\.[a-z]{2,24}\b(?:/[^\s<>]{0,300})?", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-z/!][^<>]{0,300}>|\[[^\[\]]{1,200}\]\([^()]{1,300}\)", re.IGNORECASE)
_ANSWER = re.compile(r"\s*(?:re|aw|fw|fwd|wg|tr)\s*:", re.IGNORECASE)

# In the languages that organisations word their mails in most; whole words, whatever their capitals.
PROMOTION = (
    "act now; best price; bonus; bargain; buy now; cash; click here; click below; congratulations; deal; discount; "
    "don't miss; exclusive; for free; free of charge; free gift; gift; guaranteed; last chance; limited offer; "
    "limited time; lottery; lucky; newsletter; no obligation; offer; only today; order now; prize; promotion; sale; "
    "save money; special price; subscribe; unsubscribe; voucher; win; winner; "
    "angebot; gewinn; gratis; gutschein; hier klicken; klicken sie hier; kostenlos; nur heute; rabatt; sonderpreis; "
    "cadeau; cliquez ici; gagnant; gratuit; offre; promo; remise; "
    "descuento; ganador; haga clic; oferta; premio; regalo"
)
PHISHING = (
    "account suspended; account will be closed; account will be suspended; account has been limited; avoid suspension; "
    "bank account; confirm your account; confirm your identity; credit card; final warning; immediately; "
    "immediate action; last warning; mailbox is full; payment details; security alert; social security; "
    "suspicious activity; unusual activity; update your account; urgent; verify your account; verify your identity; "
    "within 24 hours; your account; "
    "dringend; konto gesperrt; konto bestätigen; kreditkarte; letzte mahnung; sofort; "
    "carte bancaire; compte suspendu; immédiatement; "
    "cuenta suspendida; tarjeta de crédito; urgente"
)


def _one_of(phrases: str) -> re.Pattern[str]:
    found = "|".join(re.escape(phrase.strip()) for phrase in phrases.split(";"))
    return re.compile(rf"(?<!\w)(?:{found})(?!\w)")


_PROMOTION, _PHISHING = _one_of(PROMOTION), _one_of(PHISHING)


def problems(wording: Wording, subject: str, text: str, *, contacts: str = "") -> Iterator[tuple[str, str]]:
    """(field, sentence) for whatever is wrong with an organisation's own subject and text.

    contacts: text in which those addresses stand that may be named."""
    for field, written in (("subject", subject), ("text", text)):
        for check in (_placeholders(wording, written), _links(written, contacts), _characters(written), _tone(written)):
            yield from ((field, sentence) for sentence in check)
    yield from (("subject", sentence) for sentence in _subject(subject))
    yield from (("text", sentence) for sentence in _text(wording, text))


def _placeholders(wording: Wording, written: str) -> Iterator[str]:
    known = ", ".join(f"{{{name}}}" for name in wording.placeholders)
    for name in PLACEHOLDER.findall(written):
        if name not in wording.placeholders:
            yield _("{%(name)s} is not known here. There are: %(known)s.") % {"name": name, "known": known}
    if set("{}") & set(PLACEHOLDER.sub("", written)):
        yield _("A brace stands alone. Braces are for placeholders: %s.") % known


def _links(written: str, contacts: str) -> Iterator[str]:
    for address in _ADDRESS.findall(written):
        if address.strip(".,;:()").lower() not in contacts.lower():
            yield (
                _(
                    "“%s” is not an address of yours. Only the contact for help and the Reply-To of the settings may "
                    "be named."
                )
                % address
            )
    rest = _ADDRESS.sub(" ", written)
    for link in [*_LINK.findall(rest), *_HOST.findall(_LINK.sub(" ", rest))]:
        yield (
            _(
                "“%s” is a link, or mail programs make it one. The mail carries one link, to your portal; a second "
                "one, above all to another place, is how phishing looks."
            )
            % link
        )


def _characters(written: str) -> Iterator[str]:
    if markup := _MARKUP.search(written):
        yield (
            _("“%s” would stand in the mail as it is typed: the text is plain text, without HTML or pictures.")
            % (markup[0])
        )
    if any(unicodedata.category(letter) in ("Cf", "Co", "Cc") and letter not in "\r\n\t" for letter in written):
        yield _("There is a character in it that cannot be seen, as is used to deceive filters. Type the text anew.")
    if signs := [letter for letter in written if unicodedata.category(letter) in ("So", "Sc")]:
        yield _("“%s”: pictures and currency signs make a mail look like a promotion. Say it in words.") % signs[0]


def _tone(written: str) -> Iterator[str]:
    plain = PLACEHOLDER.sub(" ", written)
    folded = " ".join(plain.casefold().replace("’", "'").split())
    if found := _PROMOTION.search(folded):
        yield _("“%s” makes a mail look like a promotion; many mailboxes would put it there.") % found[0]
    if found := _PHISHING.search(folded):
        yield _("“%s” is how phishing presses its readers. Say calmly what there is to do.") % found[0]
    capitals = [word for word in re.findall(r"[^\W\d_]{4,}", plain) if word.isupper()]
    if len(capitals) > MOST_CAPITALS:
        yield _("“%s”: several words in capitals look like a promotion. Write them as usual.") % " ".join(capitals[:4])


def _subject(subject: str) -> Iterator[str]:
    if "!" in subject:
        yield _("No exclamation mark in the subject: it looks like a promotion.")
    if len(subject.splitlines()) > 1:
        yield _("The subject is one line.")
    if _ANSWER.match(subject):
        yield _("The subject begins like that of an answer or a forwarded mail, which it is not.")
    if not re.search(r"[^\W\d_]{2,}", PLACEHOLDER.sub(" ", subject)):
        yield _("The subject needs words that say what the mail is.")


def _text(wording: Wording, text: str) -> Iterator[str]:
    if text.count("!") > 1:
        yield _("One exclamation mark at most: more look like a promotion.")
    for name in wording.required:
        if f"{{{name}}}" not in text:
            yield _("The mail would not say whom it is from. Put {%(name)s} into the text: %(meaning)s.") % {
                "name": name,
                "meaning": wording.placeholders[name].meaning,
            }
    words = len(re.findall(r"[^\W\d_]{2,}", PLACEHOLDER.sub(" ", text)))
    if words < FEWEST_WORDS:
        yield (
            ngettext(
                "There is only %d word in it besides placeholders. A mail with hardly any text is taken for junk.",
                "There are only %d words in it besides placeholders. A mail with hardly any text is taken for junk.",
                words,
            )
            % words
        )


# --- A whole mail ---------------------------------------------------------------------------------------------


def faults(mail: Letter) -> Iterator[str]:
    """What is wrong with a mail as it would leave: no text part, no HTML part, something loaded from elsewhere, a link
    that does not lead to the portal, or more than one."""
    if not mail.text.strip():
        yield _("It has no text part.")
    if not mail.html:
        yield _("It has no HTML part.")
        return
    reader = _Links()
    reader.feed(mail.html)
    if reader.loaded:
        yield _("It loads something from elsewhere: %s.") % ", ".join(sorted(reader.loaded))
    for link in sorted(link for link in reader.links if not link.startswith(f"{settings.BASE_URL}/")):
        yield _("It has a link that does not lead to the portal: %s.") % link


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "a" and said.get("href"):
            self.links.add(str(said["href"]))
        if tag in ("img", "link", "script", "iframe", "object", "embed", "video", "audio", "source"):
            self.loaded.add(tag)
        if "url(" in (said.get("style") or "") or "background" in said:
            self.loaded.add(f"{tag} style")
