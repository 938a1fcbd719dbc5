"""What each setting changes for messages, people and sessions that are there already: one sentence each, for the
settings page. Its keys are the settings that page offers."""

from django.utils.translation import gettext_lazy as _

_FROM_NOW_ON = _("Messages already sent: nothing changes.")
_STORED_STAYS = _("What is stored already stays; it holds for files attached from now on.")
_PASSWORDS_STAY = _("Passwords already chosen stay; it holds for the next change of each.")
_SECOND_FACTOR = _(
    "Holds at once, in open sessions, too: who has none yet sets one up before anything else opens. Switched off, "
    "those who have one keep it and are asked for it."
)

EFFECTS = {
    "name": _("Mails that have not left yet carry the new one; those already mailed keep the old one."),
    "slug": _("Changing it breaks every link already mailed."),
    "support_contact": _("Changes the pages at once; messages already sent are not touched."),
    "retention_days": _(
        "Holds for messages already sent, too: a shorter one destroys what is older (you are asked first, with "
        "numbers), a longer one keeps what still exists for longer."
    ),
    "undo_seconds": _FROM_NOW_ON,
    "recall_destroys_quotes": _(
        "Holds for every recall from now on, of messages already sent, too. What was recalled before stays as it is."
    ),
    "bcc_to_mail_server": _("Messages already sent: no copy is made afterwards, and none is taken back."),
    "replies_may_change_recipients": _("Holds at once, for replies to messages already sent, too."),
    "mail_from": _(
        "Mails that have not left yet carry the new one. A DKIM key is of one domain: make one for a new one."
    ),
    "reply_to": _("Mails that have not left yet carry the new one."),
    "hourly_notifications": _("Notifications on their way stay as they are. Passwords are never held back."),
    "reminder_days": _("Holds for unread messages already sent, too; reminders already mailed are not repeated."),
    "max_attachment_mb": _STORED_STAYS,
    "max_message_mb": _STORED_STAYS,
    "storage_mb": _("What is stored already stays; who is over the limit cannot attach more until there is room."),
    "forbidden_types": _STORED_STAYS,
    "hold_unscanned": _("Holds at once, for files of messages already sent, too."),
    "idle_minutes": _("Holds for sessions that are open now, too. Messages already sent: nothing changes."),
    "first_visit_mode": _(
        "Holds from now on, for mails that have not left yet, too; temporary passwords already mailed stay good."
    ),
    "reset_mode": _(
        "Holds from now on, for requests not yet answered, too; mails already sent stay good for their hour."
    ),
    "first_visit_hours": _("Temporary passwords already mailed keep their time."),
    "password_min_length": _PASSWORDS_STAY,
    "password_classes": _PASSWORDS_STAY,
    "password_age_days": _(
        "Counts from when each password was set: older ones have to be changed at the next log-in; sessions that are "
        "open go on. Owners of the others are reminded 14, 7 and 1 days before."
    ),
    "password_history": _(
        "Counts the current password, those replaced from now on, and those kept under an earlier setting."
    ),
    "second_factor_senders": _SECOND_FACTOR,
    "second_factor_recipients": _SECOND_FACTOR,
    "second_factor_administrators": _SECOND_FACTOR,
    "language": _(
        "Mails that have not left yet are written in the new one; pages of whoever has not chosen one, at once."
    ),
    "time_zone": _("Moments already stored are shown in the new one; months begin and end by it from now on."),
}
