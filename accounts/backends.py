import uuid
from typing import Any

from django.contrib.auth.backends import ModelBackend

from portal.prepared import Prepared

from . import roles
from .models import User

_users = Prepared(lambda pk: User.objects.select_related("organization", "domain").filter(pk=pk))


class PermissionsBackend(ModelBackend):
    """Who a session belongs to, and what they may do in the administration console. It lets nobody in: logging in
    takes an organisation, limits and a record (accounts/log_in.py), none of which Django's call carries."""

    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: uuid.UUID) -> User | None:
        """Asked on every request, so whoever is switched off is out on the next one. One query."""
        found = _users(pk=user_id)
        return found[0] if found and found[0].may_log_on else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """What an administrator may do goes by their role; nobody else may do anything. The role is asked for once a
        request: the user is fetched anew on each."""
        if not (user_obj.is_active and user_obj.is_staff):
            return False
        if not hasattr(user_obj, "_role"):
            user_obj._role = roles.role_of(user_obj)
        return roles.allows(user_obj._role, perm)
