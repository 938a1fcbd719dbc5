from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


def page(request: HttpRequest) -> dict[str, Any]:
    """Whose portal the page belongs to: the visitor's own organisation, or else what the view says.

    Looked up when a template asks: a page that never does costs no query.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"organization": SimpleLazyObject(lambda: user.organization)}
