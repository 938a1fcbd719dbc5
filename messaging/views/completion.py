from django.http import JsonResponse
from django.views.decorators.http import require_POST

from accounts.http import AuthenticatedRequest
from messaging import completion


@require_POST
def complete(request: AuthenticatedRequest) -> JsonResponse:
    """People to write to, for what was typed so far. A POST: part of an address has no place in a URL or a log."""
    return JsonResponse({"people": completion.complete(request.user, request.POST.get("typed", ""))})
