"""What a file is, told from how it begins, beside what its name says it is.

A name claims something by its last ending, where that ending is in the table below; any other says nothing and is never
in doubt. Marks are those of the formats' own specifications, or the IANA's registry of media types where those are not
public. Some formats (MP3, MPEG) may begin in more ways than can be listed: of them, content without a mark is let be.
"""

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# How far into a file the marks lie: an ISO image begins with 32 KiB of nothing.
HEAD_BYTES = 33 * 1024
_TEXT_BYTES = 1024
_NOT_IN_TEXT = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")  # byte order marks of UTF-16 and UTF-32

_WEB = "html htm xhtml svg xml"
_TEXTS = "txt csv tsv log md json ini yaml yml css ics vcf eml"
_OFFICE = "docx dotx xlsx xltx pptx potx ppsx"
_OFFICE_MACROS = "docm dotm xlsm xltm xlsb xlam pptm potm ppsm ppam"


@dataclass(frozen=True)
class Kind:
    """A family of formats that programs take for one another."""

    name: str
    label: Promise  # as in "its content is …"
    endings: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()  # endings of other families that its files rightly bear
    mark: re.Pattern[bytes] | None = None
    is_certain: bool = True  # every file of the family has the mark

    def fits(self, ending: str) -> bool:
        return ending in self.endings or ending in self.also


def _kind(
    name: str, label: Promise, endings: str, mark: bytes | None = None, *, also: str = "", is_certain: bool = True
) -> Kind:
    pattern = re.compile(mark, re.DOTALL) if mark else None
    return Kind(name, label, frozenset(endings.split()), frozenset(also.split()), pattern, is_certain)


UNKNOWN = _kind("unknown", _("of no known type"), "")
TEXT = _kind("text", _("plain text"), _TEXTS, also=_WEB)
ZIP = _kind("zip", _("a ZIP archive"), "zip", rb"PK(\x03\x04|\x05\x06|\x07\x08)")
PROGRAM = _kind(
    "program",
    _("a program"),
    "exe com dll sys scr msi bin elf so dylib app sh bash py pl rb class",
    # Windows, Linux, macOS (both byte orders, universal), Java, scripts; not AMR, which begins "#!AMR".
    rb"MZ|\x7fELF|\xfe\xed\xfa|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe|#!(?!AMR)",
)
# Drawings with scripts in them included; and what nobody knows how a browser would take.
PAGE = _kind("page", _("a web page"), _WEB, rb"(\xef\xbb\xbf)?\s*(?i:<(!doctype|html|svg|script|\?xml))", also=_TEXTS)
# What a ZIP archive may be in truth; some only what lies in it tells (archives.py).
OPEN_DOCUMENT = _kind(
    "opendocument",
    _("an OpenDocument document"),
    "odt ott ods ots odp otp odg odf",
    rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument",
)
BOOK = _kind("epub", _("an electronic book"), "epub", rb"PK\x03\x04.{26}mimetypeapplication/epub\+zip")
OFFICE = _kind("office", _("an Office document"), _OFFICE, also=_OFFICE_MACROS)
MACROS = _kind("macros", _("an Office document with macros"), _OFFICE_MACROS)
JAVA = _kind("java", _("a Java program"), "jar war ear")

# In the order in which they are tried.
_MARKED = (
    PROGRAM,
    PAGE,
    _kind("pdf", _("a PDF document"), "pdf", rb"(\xef\xbb\xbf)?\s{0,64}%PDF-"),
    _kind("rtf", _("an RTF document"), "rtf", rb"\{\\rtf"),
    _kind(
        "old_office",
        _("an Office document of the old format"),
        "doc dot xls xlt ppt pot pps msg pub vsd mpp msi",
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        also=f"{_OFFICE} {_OFFICE_MACROS}",  # which are this, once they are protected by a password
    ),
    _kind("postscript", _("a PostScript document"), "ps eps", rb"%!PS|\xc5\xd0\xd3\xc6"),
    OPEN_DOCUMENT,
    BOOK,
    ZIP,
    _kind("7z", _("a 7-Zip archive"), "7z", rb"7z\xbc\xaf\x27\x1c"),
    _kind("rar", _("a RAR archive"), "rar", rb"Rar!\x1a\x07"),
    _kind("gzip", _("a gzip archive"), "gz tgz", rb"\x1f\x8b\x08"),
    _kind("bzip2", _("a bzip2 archive"), "bz2 tbz2", rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    _kind("xz", _("an XZ archive"), "xz txz", rb"\xfd7zXZ\0"),
    _kind("zstandard", _("a Zstandard archive"), "zst", rb"\x28\xb5\x2f\xfd"),
    _kind("cab", _("a cabinet archive"), "cab", rb"MSCF\0{4}"),
    _kind("png", _("a PNG picture"), "png", rb"\x89PNG"),
    _kind("jpeg", _("a JPEG picture"), "jpg jpeg jpe jfif", rb"\xff\xd8\xff"),
    _kind("gif", _("a GIF picture"), "gif", rb"GIF8[79]a"),
    _kind("webp", _("a WebP picture"), "webp", rb"RIFF.{4}WEBP"),
    _kind("bmp", _("a BMP picture"), "bmp dib", rb"BM.{4}\0{4}"),
    _kind("tiff", _("a TIFF picture"), "tif tiff", rb"II[*+]\0|MM\0[*+]"),
    _kind("heif", _("an HEIF picture"), "heic heif avif", rb"\0.{3}ftyp(hei|hev|mif|msf|avi)"),
    _kind("icon", _("an icon"), "ico cur", rb"\0\0[\x01\x02]\0[^\0]\0"),
    _kind("psd", _("a Photoshop picture"), "psd psb", rb"8BPS\0"),
    _kind("mp3", _("an MP3 recording"), "mp3", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", is_certain=False),
    _kind("aac", _("an AAC recording"), "aac", rb"\xff[\xf0\xf1\xf8\xf9]", is_certain=False),
    _kind("wave", _("a WAVE recording"), "wav", rb"(RIFF|RF64).{4}WAVE"),
    _kind("flac", _("a FLAC recording"), "flac", rb"fLaC[\0\x80]", also="ogg oga"),
    _kind("amr", _("an AMR recording"), "amr", rb"#!AMR"),
    _kind("midi", _("a MIDI file"), "mid midi", rb"MThd\0"),
    _kind("ogg", _("an Ogg recording"), "ogg oga ogv opus", rb"OggS\0"),
    _kind("avi", _("an AVI film"), "avi", rb"RIFF.{4}AVI "),
    _kind("matroska", _("a Matroska film"), "mkv mka webm", rb"\x1a\x45\xdf\xa3"),
    _kind("windows_media", _("a Windows Media film"), "wmv wma asf", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    _kind("mpeg", _("an MPEG film"), "mpg mpeg vob", rb"\0\0\x01[\xb3\xba]", is_certain=False),
    _kind(
        "mpeg4",
        _("an MPEG-4 film"),
        "mp4 m4v m4a m4b mov 3gp",
        rb"\0.{3}(ftyp|moov|wide|free|skip)|.{4}mdat",
        is_certain=False,
    ),
    _kind("shortcut", _("a Windows shortcut"), "lnk", rb"\x4c\0\0\0\x01\x14\x02\0"),
    _kind("tar", _("a TAR archive"), "tar", rb".{257}ustar", is_certain=False),
    _kind("iso", _("an image of a disc"), "iso", rb".{32769}(CD001|BEA01)"),
)
_ALL = (*_MARKED, TEXT, OFFICE, MACROS, JAVA)
_BY_NAME = {kind.name: kind for kind in (*_ALL, UNKNOWN)}


def kind_of(head: bytes) -> Kind:
    """What a file that begins so is, from its first HEAD_BYTES."""
    marked = next((kind for kind in _MARKED if kind.mark and kind.mark.match(head)), None)
    return marked or (TEXT if _is_text(head[:_TEXT_BYTES]) else UNKNOWN)


def may_be_archive(head: bytes, name: str) -> bool:
    """Whether somebody may open this file as a ZIP archive: one that begins so, whatever else it is, or is called so,
    whatever stands before it. What unpacks one looks at its end."""
    begins = ZIP.mark is not None and ZIP.mark.match(head) is not None
    return begins or any(kind.fits(_last_ending(name)) for kind in (ZIP, JAVA))


def _is_text(head: bytes) -> bool:
    """In whatever encoding: nothing that only a machine would write. An empty file is one."""
    return head.startswith(_WIDE_TEXT) or head.translate(None, _NOT_IN_TEXT) == head


def endings_of(name: str) -> list[str]:
    """Lower case, without the dots, the last one last."""
    return [part.strip().lower() for part in name.split(".")[1:]]


def _last_ending(name: str) -> str:
    return next(reversed(endings_of(name)), "")


def differs(kind: Kind, name: str) -> bool:
    """Whether the name says that a file of this kind is something else."""
    ending = _last_ending(name)
    if kind.fits(ending):
        return False
    return any(ending in other.endings and (other.is_certain or kind is not UNKNOWN) for other in _ALL)


def is_document(kind: Kind, name: str) -> bool:
    """Whether this is an archive that nobody unpacks: a document, opened as a whole."""
    return kind in (OFFICE, MACROS, OPEN_DOCUMENT, BOOK) and not differs(kind, name)


# --- Doubts: what an attachment keeps of it, and people read ----------------------------------------------------------

# Archives that nobody could look into.
CLOSED, LOCKED = "closed", "locked"


def in_words(doubt: str) -> str:
    """The sentence for a doubt: a kind's name, CLOSED or LOCKED; empty for none."""
    match doubt:
        case "":
            return ""
        case "closed":
            return gettext("An archive that could not be looked into.")
        case "locked":
            return gettext("Locked with a password: nobody could look into it on its way.")
        case UNKNOWN.name:
            return gettext("Its content is not what its name says.")
    return gettext("Its content is %(kind)s, which its name does not say.") % {"kind": _BY_NAME[doubt].label}
