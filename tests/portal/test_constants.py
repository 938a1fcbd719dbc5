"""Tags that say the same on every page: portal/templatetags/constants.py."""

from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, Template
from django.urls import get_script_prefix, reverse, set_script_prefix
from django.utils import translation


def render(template: Template, **context) -> str:
    return template.render(Context(context))


def test_words_follow_the_language_of_each_page():
    words = Template('{% translate "This field is required." %}')

    for language, expected in (
        ("en-gb", "This field is required."),
        ("de", "Dieses Feld ist zwingend erforderlich."),
        ("fr", "Ce champ est obligatoire."),
        ("en-gb", "This field is required."),
    ):
        with translation.override(language):
            assert render(words) == expected


def test_words_under_a_name_and_words_of_a_variable_are_looked_up_each_time():
    named = Template('{% translate "Yes" as answer %}{{ answer }}{% translate word %}{% translate "a"|add:word %}')

    assert render(named, word="<b>") == "Yes&lt;b&gt;a&lt;b&gt;"
    assert render(named, word="c") == "Yescac"


def test_percent_signs_stay_as_they_were_written():
    words = Template('{% translate "100% of it, %s selected" %}')

    assert [render(words), render(words)] == ["100% of it, %s selected"] * 2


def test_an_address_follows_the_prefix_that_the_portal_is_served_under():
    link = Template("{% url 'inbox' %}")
    prefix = get_script_prefix()
    try:
        assert render(link) == "/inbox/"
        set_script_prefix("/post/")
        assert render(link) == "/post/inbox/"
    finally:
        set_script_prefix(prefix)
    assert render(link) == "/inbox/"


def test_addresses_with_arguments_are_of_what_they_are_given():
    link = Template("{% url 'log_in' slug %} {% url name %} {% url 'inbox' as here %}{{ here }}")

    assert render(link, slug="north", name="sent") == f"{reverse('log_in', args=['north'])} /sent/ /inbox/"
    assert render(link, slug="south", name="inbox") == f"{reverse('log_in', args=['south'])} /inbox/ /inbox/"


def test_a_file_is_where_the_installation_has_it():
    link = Template("{% static 'css/base.css' %} {% static path %} {% static 'css/base.css' as sheet %}{{ sheet }}")
    base, tokens = (staticfiles_storage.url(f"css/{name}.css") for name in ("base", "tokens"))

    assert render(link, path="css/tokens.css") == f"{base} {tokens} {base}"
    assert render(link, path="css/base.css") == f"{base} {base} {base}"
