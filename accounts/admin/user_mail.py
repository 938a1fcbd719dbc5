"""Whether mail reaches a user, on the user's page."""

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..models import User


@admin.display(description=_("mail to the address"))
def mail_arrives(user: User) -> SafeString | str:
    if user.bounced_at is None:
        return gettext("Nothing has come back")
    day = date_format(localtime(user.bounced_at), "DATETIME_FORMAT")
    text = gettext("Came back on %(day)s. %(why)s") % {"day": day, "why": user.bounce_words}
    # Its form stands below the page's own, in the template.
    return format_html(
        '<span>{}</span> <button type="submit" form="clear-bounce" class="verb">{}</button>',
        text,
        gettext("The Address Is Right"),
    )
