"""The organisation's settings, and the audit log, in the administration console."""

from . import (  # noqa: F401  each registers its pages
    audit_log,
    branding,
    dkim_keys,
    mail_check,
    mail_routes,
    notification_texts,
    outgoing_mail,
    settings,
)
