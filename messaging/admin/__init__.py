"""Secure Messaging in the administration console. No page here shows a subject or a body."""

from . import definitions, folders  # noqa: F401  each registers its pages
