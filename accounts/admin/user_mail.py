"""Whether mail reaches a user, on the user's page."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.dates import in_full

from ..models import User


@admin.display(description=_("mail to the address"))
def mail_arrives(user: User) -> SafeString | str:
    if user.bounced_at is None:
        return gettext("Nothing has come back")
    told = {"day": in_full(user.bounced_at), "why": user.bounce_words}
    text = gettext("Came back on %(day)s. %(why)s") % told
    # Its form stands below the page's own, in the template.
    return format_html(
        '<span>{}</span> <button type="submit" form="clear-bounce" class="verb">{}</button>',
        text,
        gettext("The Address Is Right"),
    )
