import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from portal.typed_texts import labelled

from .. import kept_texts
from ..http import AuthenticatedRequest
from ..models import KeptText


@require_http_methods(["GET", "HEAD", "POST"])
def kept_text(request: AuthenticatedRequest, kept: uuid.UUID) -> HttpResponse:
    """What was being written when the session ended and could not be put back, to be copied. POST: discard."""
    row = get_object_or_404(KeptText, pk=kept, user=request.user)
    if request.method == "POST":
        row.delete()
        return redirect("inbox")
    return render(request, "accounts/kept_text.html", {"texts": labelled(kept_texts.opened(row).fields)})
