"""Secure Messaging in the administration console. No page here shows a subject or a body."""

from portal.admin import settings

from .. import shorter_retention
from . import definitions, erasures, folders, licences, recalls, traffic  # noqa: F401  each registers its pages

settings.ask_before(shorter_retention.consequences)
