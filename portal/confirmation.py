"""Is it still the same person? Asked before what is sensitive, unless it was answered minutes ago.

The ground floor knows no password: the room that does registers the question.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The page that asks, which leads on to this path of the portal; None: it was answered just now.
Question = Callable[[HttpRequest, str], HttpResponse | None]
_questions: list[Question] = []


def register(question: Question) -> None:
    _questions.append(question)


def asked_again(request: HttpRequest, path: str) -> HttpResponse | None:
    """What to answer instead of the view's own page; None: go on."""
    [question] = _questions  # closed, should nobody have registered one
    return question(request, path)
