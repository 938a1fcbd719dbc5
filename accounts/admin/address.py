"""A user's address in the console's lists, where an erased person has none."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..models import User


@admin.display(description=_("email address"), ordering="address")
def address(user: User) -> str:
    return str(user)
