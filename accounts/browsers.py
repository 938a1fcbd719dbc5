"""What a browser calls itself, in words a person recognises."""

import re

from django.utils.translation import gettext as _

# In this order: many call themselves by their ancestors' names as well.
_BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"\bOPR/(\d+)"),
    ("Samsung Internet", r"\bSamsungBrowser/(\d+)"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"\b(?:Chrome|CriOS|HeadlessChrome|Chromium)/(\d+)"),
    ("Safari", r"\bVersion/(\d+).*\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)
# The oldest versions the portal is tried with and supports: three years back.
SUPPORTED = {"Edge": 109, "Firefox": 115, "Chrome": 109, "Safari": 16, "Samsung Internet": 20, "Opera": 95}


def name_and_version(user_agent: str) -> tuple[str, int | None]:
    """("Firefox", 128); ("", None) for one that is not known here."""
    for name, pattern in _BROWSERS:
        if match := re.search(pattern, user_agent):
            return name, int(match[1][:5])
    return "", None


def in_words(user_agent: str) -> str:
    """Such as "Chrome 131 on Android"."""
    browser, version = name_and_version(user_agent)
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, user_agent)), "")
    known = f"{browser} {version}" if browser else _("A browser we do not know")
    return _("%(browser)s on %(system)s") % {"browser": known, "system": system} if system else known


def is_supported(user_agent: str) -> bool:
    name, version = name_and_version(user_agent)
    return version is not None and version >= SUPPORTED.get(name, version + 1)
