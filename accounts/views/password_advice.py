from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from portal import limits
from portal.closing import open_portal
from portal.models import Organization

from .. import password_rules
from .. import pending as pending_visits
from ..common_passwords import is_common
from ..middleware import asked_by_script
from ..models import User
from ..password_advice import advice

# Of one person; a pause in typing asks once.
LIMIT = limits.Limit("password_advice", uses=60, period=timedelta(minutes=1))


@login_not_required
@sensitive_post_parameters("new_password")
@require_POST
@asked_by_script
def password_advice(request: HttpRequest, organization: str) -> JsonResponse:
    """For the script beside a new password that is being typed: what only the server can say of it. A POST, so that it
    stands in no address and no log. {"not_common": bool or null, "advice": text}; 429 when asked too often."""
    person = _person(request, open_portal(organization))
    try:
        limits.use(LIMIT, person.pk)
    except limits.LimitReached as reached:
        return JsonResponse({}, status=429, headers={"Retry-After": str(reached.retry_after)})
    password = password_rules.normalize(request.POST.get("new_password", "")[: password_rules.MAX_LENGTH])
    return JsonResponse(
        {"not_common": not is_common(password) if password else None, "advice": advice(person, password)}
    )


def _person(request: HttpRequest, portal: Organization) -> User:
    """Who is choosing a password: after a temporary one, or logged in. Nobody else is given the server's time."""
    if pending := pending_visits.current(request, portal):
        return pending.user
    user: Any = request.user
    if not user.is_authenticated or user.organization_id != portal.pk:
        raise Http404
    return user
