"""Message bodies: always HTML, always sanitised when written and again when shown.

The allow-list is our own (nh3's defaults keep remote images, //host links and 25 URL schemes). It keeps what
Outlook, Gmail and Word make a letter look like, and nothing that runs, loads, submits or leaves its frame.
The frame a body is shown in has a policy of its own and runs no script (messaging/views/message.py).
"""

import html as html_entities
import re

import nh3
from django.utils.html import escape, urlize
from django.utils.safestring import SafeString, mark_safe

from . import markup_effort

# Characters of one body, inline pictures included.
MAX_BODY_CHARACTERS = 8 * 1024 * 1024

_TAGS = set(
    """
    a abbr b bdi bdo blockquote br center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li
    mark ol p pre q s samp small span strike strong sub sup time u ul var wbr
    table caption colgroup col thead tbody tfoot tr th td
    """.split()
)
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title", "align"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "height", "valign", "bgcolor", "scope"},
    "tr": {"valign", "bgcolor"},
    "col": {"span", "width"},
}
# Neither position nor anything that takes a URL.
_STYLES = set(
    """
    color background-color direction font font-family font-size font-style font-variant font-weight letter-spacing
    line-height text-align text-decoration text-indent text-transform white-space vertical-align
    width height min-width max-width list-style-type border-collapse border-spacing
    margin margin-top margin-right margin-bottom margin-left padding padding-top padding-right padding-bottom
    padding-left border border-top border-right border-bottom border-left
    """.split()
)
# Tags as the sanitiser writes them: attribute values in double quotes, and no "<" in text.
# Possessive, for neither has two ways to match: a quarter quicker.
_TO_ITS_END = r'[^<>"]*+(?:"[^"]*+"[^<>"]*+)*+>'
_EDGE = re.compile(
    r"</?+(?:address|blockquote|br|caption|center|d[dlt]|div|h[1-6]|hr|li|[ou]l|p|pre|t[dhr]|table)\b" + _TO_ITS_END
)
_TAG = re.compile("<" + _TO_ITS_END)
# Most tags of most letters; replacing them as they stand is several times quicker than matching them.
_BARE_EDGES = ("<p>", "</p>", "<div>", "</div>", "<br>")
_GLANCED = 12  # letters of a word that a glance compares: enough to tell it from most others
_PICTURE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")
# A semicolon in quotes or brackets ends none.
_QUOTED = "\"[^\"]*+\"?+|'[^']*+'?+"
_DECLARATION = re.compile(rf"""(?:{_QUOTED}|\((?:{_QUOTED}|[^()"'])*+\)?+|[^;"'(])++""")
# Word and Outlook write a cell's or a word's colour so; what else a background may be, a letter does without.
_BACKGROUND_COLOUR = re.compile(
    r"\A\s*background\s*:\s*(#[0-9a-f]{3,8}|(?:rgb|hsl)a?\([\d\s.,%/]*\)|[a-z]+)(?:\s+(?:none|repeat|scroll|0%?))*+"
    r"\s*(!\s*important\s*)?\Z",
    re.IGNORECASE,
)
# A frame grows with its content (static/js/body_frame.js): what grows with the frame would never end.
# An escape may spell it, and an attribute hold it, too.
_OF_THE_WINDOW = re.compile(r"\d\s*(?:[sld]?v|cq)(?:w|h|i|b|min|max)\b|\battr\(|\\", re.IGNORECASE)
_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return _picture(value)
    if attribute == "href":
        return _link(value)
    if attribute == "style":
        return _harmless_style(value)
    return value


def _picture(address: str) -> str | None:
    return address.replace("image/jpg", "image/jpeg", 1) if _PICTURE.match(address) else None


def _link(address: str) -> str | None:
    # What browsers do with the white space around an address.
    address = address.strip(" \t\n\f\r")
    return address if _LINK.match(address) else None


def _harmless_style(style: str) -> str | None:
    harmless = filter(_is_harmless, _DECLARATION.findall(style))
    return ";".join(map(_with_background_colour, harmless)) or None


def _is_harmless(declaration: str) -> bool:
    return "url(" not in declaration.lower() and not _OF_THE_WINDOW.search(declaration)


def _with_background_colour(declaration: str) -> str:
    return _BACKGROUND_COLOUR.sub(r"background-color:\1 \2", declaration)


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math"},
    attributes=_ATTRIBUTES,
    attribute_filter=_keep_attribute,
    url_schemes={"http", "https", "mailto", "data"},
    filter_style_properties=_STYLES,
    link_rel="noopener noreferrer",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def sanitize(html: str) -> str:
    """The body without anything but the allow-list; safe to store, and safe to give to `shown`."""
    affordable = markup_effort.affordable(html)
    return markup_effort.restored(_CLEANER.clean(_words_alone(html) if affordable is None else affordable))


def _words_alone(html: str) -> str:
    """Without links: one could be as hostile as the markup was."""
    paragraphs = _paragraphs(markup_effort.words_alone(html))
    return markup_effort.affordable("".join(map(_paragraph, map(escape, paragraphs)))) or ""


def from_plain_text(text: str) -> str:
    """Typed text as HTML: paragraphs at blank lines, line breaks kept, web addresses linked."""
    return sanitize("".join(_paragraph(urlize(escape(part))) for part in _paragraphs(text)))


def _paragraphs(text: str) -> list[str]:
    parts = re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    return [part for part in parts if part]


def _paragraph(html: str) -> str:
    return f"<p>{html.replace(chr(10), '<br>')}</p>"


def words(html: str) -> str:
    """What a stored body says, without its tags, as quick as search needs it (portal.plain_text, which lays text out,
    takes fifteen times as long)."""
    for tag in _BARE_EDGES:
        html = html.replace(tag, "\n")
    text = _TAG.sub("", _EDGE.sub("\n", html)) if "<" in html else html
    return html_entities.unescape(text) if "&" in text else text


def glance(word: str) -> re.Pattern[str]:
    """What every stored body of ASCII, in lower case, matches whose `words` hold the (folded) word, and few others do:
    tags may stand between its letters. To look for it takes a tenth of the time that `words` takes."""
    letters = (re.escape(html_entities.escape(letter, quote=False)) for letter in word[:_GLANCED])
    return re.compile(f"(?:<{_TO_ITS_END})*+".join(letters))


def shown(html: str) -> SafeString:
    """A stored body, sanitised once more for showing: rules may have become stricter since it was written."""
    return mark_safe(sanitize(html))  # noqa: S308  the one place where sanitised HTML becomes safe for a template
