"""Names of files, as they are stored, judged and given out again: one form everywhere."""

import unicodedata

from django.utils.translation import gettext as _

MAX_NAME_CHARACTERS = 200
_RESERVED_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def clean_name(name: str) -> str:
    """A file name that is only a name, on any system: no path, control or direction-changing character (which can
    make "exe.txt" out of "txt.exe"), no reserved device name, no leading or trailing dots."""
    name = unicodedata.normalize("NFC", name).replace("/", "_").replace("\\", "_").replace(":", "_")
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    name = name.strip().strip(".").strip()
    stem, dot, extension = name.rpartition(".")
    if len(name) > MAX_NAME_CHARACTERS:
        name = (stem or name)[: MAX_NAME_CHARACTERS - len(dot + extension[:20])] + dot + extension[:20]
    if name.split(".")[0].lower() in _RESERVED_NAMES:
        name = f"_{name}"
    return name or _("attachment")
