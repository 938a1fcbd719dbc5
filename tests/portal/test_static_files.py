"""What the strict policy and the manifest need of templates and static files."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
# Documents with a policy of their own, which allows it; mails carry their styles with them.
WITH_STYLES_OF_THEIR_OWN = ("messaging/body_style.html", "messaging/print_sheet.html", "/mail/")
OURS = [path for path in TEMPLATES if not any(part in str(path) for part in WITH_STYLES_OF_THEIR_OWN)]


@pytest.mark.parametrize("template", OURS, ids=lambda path: path.name)
def test_no_style_and_no_script_in_a_page(template):
    source = template.read_text()

    assert not re.search(r"""<style|\sstyle\s*=|\son[a-z]+=["']|javascript:""", source, re.IGNORECASE)
    for tag in re.findall(r"<script[^>]*>", source):
        assert "src=" in tag


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_nothing_is_marked_safe_in_a_template(template):
    assert not re.search(r"\|\s*safe\b|autoescape off", template.read_text())


def test_every_static_file_is_found_and_none_asks_for_a_map(settings, tmp_path):
    """As an installation does it: a reference to a missing file, or to a vendored file's map, would stop here."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    assert (tmp_path / "staticfiles.json").exists()
    asked = {
        name for template in TEMPLATES for name in re.findall(r"\{% static ['\"]([^'\"]+)['\"]", template.read_text())
    }
    assert asked
    assert [name for name in asked if not finders.find(name)] == []


@pytest.mark.parametrize("vendored", ["vendor/squire/squire.js", "vendor/dompurify/purify.min.js"])
def test_a_vendored_file_comes_with_its_licence_and_version(vendored):
    path = settings.BASE_DIR / "static" / vendored

    assert path.with_name("LICENSE").exists()
    assert vendored.removeprefix("vendor/") in (settings.BASE_DIR / "static/vendor/README.md").read_text()


def test_dark_mode_changes_named_values_only():
    tokens = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    first, dark, roles = re.findall(r"(?:^|\n)\s*:root \{(.*?)\n\s*\}", tokens, re.DOTALL)

    def names(block: str) -> set[str]:
        return set(re.findall(r"(--[\w-]+):", block))

    assert names(dark) <= names(first)
    assert not names(dark) & names(roles)


def test_only_the_tokens_name_a_colour():
    for path in (settings.BASE_DIR / "static/css").glob("*.css"):
        if path.name not in ("tokens.css", "print.css"):
            assert not re.search(r"#[0-9a-f]{3,8}\b|rgb|hsl", path.read_text()), path.name
