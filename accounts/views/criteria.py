from typing import Any

from .. import password_advice, password_rules
from ..account_forms import ChangePasswordForm
from ..forms import SetPasswordForm
from ..models import User


def beside(form: SetPasswordForm | ChangePasswordForm, user: User) -> dict[str, Any]:
    """What accounts/criteria.html shows beside the fields of a new password."""
    return {
        "form": form,
        "criteria": form.criteria(),
        "advice": password_advice.advice(user, form.data.get("new_password", "")),
        "min_length": password_rules.min_length(user),
        "personal_words": password_rules.personal_words(user),
        "organization": user.organization,
    }
