"""Whether mail reaches a user, on the user's page."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.dates import in_full

from ..models import User
from .user_buttons import with_button


@admin.display(description=_("mail to the address"))
def mail_arrives(user: User) -> SafeString | str:
    if user.bounced_at is None:
        return gettext("Nothing has come back")
    told = {"day": in_full(user.bounced_at), "why": user.bounce_words}
    text = gettext("Came back on %(day)s. %(why)s") % told
    return with_button(user, text, "clear-bounce", gettext("The Address Is Right"))
