"""An organisation's colours and pictures: public, for they stand on its log-in page, and kept by browsers for a year,
for what an address of theirs shows never changes."""

import uuid

from csp.constants import NONE
from csp.decorators import csp
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from .colours import Palette
from .models import BrandImage
from .pictures import CONTENT_TYPES

_A_YEAR = "public, max-age=31536000, immutable"
# Opened by itself it is a page that can do nothing.
_POLICY = {"default-src": [NONE], "frame-ancestors": [NONE], "sandbox": True}


@login_not_required
@require_safe
def colours(request: HttpRequest, palette: str) -> HttpResponse:
    """The style sheet of the colours that its name lists: made of the name alone, whoever asks."""
    found = Palette.named(palette)
    if found is None:
        raise Http404
    return _public(request, found.style_sheet.encode(), "text/css; charset=utf-8", tag=palette)


@login_not_required
@csp(_POLICY)  # type: ignore[arg-type]
@require_safe
def brand_image(request: HttpRequest, organization: uuid.UUID, name: str) -> HttpResponse:
    image = get_object_or_404(BrandImage, organization=organization, name=name)
    content_type = CONTENT_TYPES[name.rpartition(".")[2]]
    return _public(request, bytes(image.content), content_type, tag=name)


def _public(request: HttpRequest, content: bytes, content_type: str, *, tag: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response.headers["ETag"] = f'"{tag}"'
    response.headers["Cache-Control"] = _A_YEAR
    answer = get_conditional_response(request, etag=f'"{tag}"', response=response) or response
    answer.is_public = True  # type: ignore[attr-defined]
    return answer
