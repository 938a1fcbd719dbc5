"""The organisation's settings, the audit log and imports in the administration console."""

from . import (  # noqa: F401  each registers its pages
    audit_log,
    branding,
    dkim_keys,
    imports,
    mail_check,
    mail_routes,
    notification_texts,
    outgoing_mail,
    settings,
)
