"""The organisation's settings, and the audit log, in the administration console."""

from . import audit_log, mail_routes, outgoing_mail, settings  # noqa: F401  each registers its pages
