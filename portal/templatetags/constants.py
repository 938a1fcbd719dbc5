"""Django's `static`, `translate` and `url`, as every template has them: what such a tag says on every page alike is
worked out once. A page has dozens of them, and looking each up anew was a sixth of what it cost."""

from collections.abc import Callable, Hashable

from django.template import Library, Node
from django.template.base import FilterExpression, Parser, Token
from django.template.context import Context
from django.template.defaulttags import url as djangos_url
from django.templatetags.i18n import do_translate
from django.templatetags.static import do_static
from django.urls import get_script_prefix
from django.utils.translation import get_language

register = Library()


class Constant(Node):
    """A tag that says the same wherever `given` is the same."""

    child_nodelists = ()

    def __init__(self, node: Node, given: Callable[[], Hashable]) -> None:
        self._node, self._given = node, given
        self._said: dict[Hashable, str] = {}

    def render(self, context: Context) -> str:
        given = self._given()
        if given not in self._said:
            self._said[given] = self._node.render(context)
        return self._said[given]


@register.tag
def static(parser: Parser, token: Token) -> Node:
    node = do_static(parser, token)
    return node if node.varname or not _is_text(node.path) else Constant(node, lambda: None)


@register.tag
def translate(parser: Parser, token: Token) -> Node:
    is_text = _is_text(parser.compile_filter(token.split_contents()[1]))
    node = do_translate(parser, token)
    return Constant(node, get_language) if is_text and not (node.asvar or node.message_context) else node


@register.tag
def url(parser: Parser, token: Token) -> Node:
    node = djangos_url(parser, token)
    # Where a name in a namespace leads may depend on the page it stands on.
    is_constant = _is_text(node.view_name) and ":" not in node.view_name.var
    return node if node.args or node.kwargs or node.asvar or not is_constant else Constant(node, get_script_prefix)


def _is_text(expression: FilterExpression) -> bool:
    return isinstance(expression.var, str) and not expression.filters
