"""Secure Messaging in the administration console. No page here shows a subject or a body."""

from portal.admin import settings

from .. import shorter_retention
from . import (  # noqa: F401  each registers its pages
    approved_readings,
    definitions,
    erasures,
    folders,
    licences,
    recalls,
    traffic,
)

settings.ask_before(shorter_retention.consequences)
