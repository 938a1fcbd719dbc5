"""Account → Branding: what is taken, what is refused in which words, and the sample."""

from io import BytesIO

import pytest
from django.urls import reverse

from accounts import roles
from portal.models import AuditEvent, BrandImage, Branding

from ..small_pictures import ico, jpeg, png
from .conftest import page

PREVIEW = reverse("admin:portal_branding_preview")
FIELDS = {"page_title": "North post", "disclaimer": "For patients.", "accent": "#7A1F5C"}


def file(content: bytes, name: str = "../../etc/logo.svg.php") -> BytesIO:
    found = BytesIO(content)
    found.name = name
    return found


@pytest.fixture
def unbranded(organization, administrator, log_in):
    """A browser of the administrator of an organisation without any."""
    return log_in(administrator)


@pytest.fixture
def url(north) -> str:
    return page(Branding, "change", north.branding.pk)


def refusals(response) -> str:
    assert response.status_code == 200
    return " ".join(
        problem for found in response.context["adminform"].form.errors.values() for problem in found
    ).replace("\xa0", " ")


def test_the_first_one_is_made_and_afterwards_changed(unbranded, organization, events):
    way_in = page(Branding, "changelist")
    assert unbranded.get(way_in).url == page(Branding, "add")
    assert unbranded.post(page(Branding, "add"), FIELDS).status_code == 302
    row = Branding.objects.get()
    assert (row.organization, row.page_title, row.accent) == (organization, "North post", "#7a1f5c")
    assert unbranded.get(way_in).url == page(Branding, "change", row.pk)
    assert unbranded.get(page(Branding, "add")).status_code == 403
    assert [action for _who, action in events(row)] == ["branding.created"]


def test_pictures_are_kept_under_the_hash_of_their_bytes(north, url):
    posted = {**FIELDS, "logo_file": file(png(120, 40)), "favicon_file": file(ico(png(32, 32)), "x.ico")}
    assert north.client.post(url, posted).status_code == 302
    row = Branding.objects.get(pk=north.branding.pk)
    assert row.logo.endswith(".png")
    assert len(row.logo) == 68
    assert row.favicon.endswith(".ico")
    assert not BrandImage.objects.filter(name__contains="php").exists()
    assert north.client.get(row.logo_url).content == png(120, 40)
    assert row.logo_url in north.client.get(url).content.decode()
    changed = AuditEvent.objects.get(action="branding.changed").details["fields"]
    assert {"logo_file", "favicon_file", "accent"} <= set(changed)


def test_a_picture_is_taken_away(north, url):
    assert 'name="remove_logo"' not in north.client.get(url).content.decode()
    north.client.post(url, {**FIELDS, "logo_file": file(png(120, 40))})
    assert 'name="remove_logo"' in north.client.get(url).content.decode()
    north.client.post(url, {**FIELDS, "remove_logo": "on"})
    assert Branding.objects.get(pk=north.branding.pk).logo == ""
    assert not BrandImage.objects.exists()


@pytest.mark.parametrize(
    ("field", "content", "words"),
    [
        ("logo_file", b"<svg><script>alert(1)</script></svg>", "SVG pictures can carry scripts and are not taken."),
        ("logo_file", b"MZ" + bytes(400), "not a whole picture of a kind that is taken, whatever its name says"),
        ("logo_file", ico(png(16, 16)), "This is ICO. Taken are PNG, JPEG, WEBP."),
        ("logo_file", png(1201, 40), "It is 1201 × 40 pixels; 1200 × 600 are the most."),
        ("logo_file", jpeg(60_000, 60_000), "It is 60000 × 60000 pixels"),
        ("logo_file", png(120, 40) + bytes(300_000), "The file may have 256 KB at most."),
        ("logo_file", b"", "The submitted file is empty."),
        ("favicon_file", png(513, 513), "512 × 512 are the most."),
        ("favicon_file", png(16, 16) + bytes(70_000), "The file may have 64 KB at most."),
    ],
)
def test_what_is_no_good_picture_is_refused_in_words(north, url, field, content, words):
    response = north.client.post(url, {**FIELDS, field: file(content)})
    assert words in refusals(response)
    assert not BrandImage.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"accent": "#ffcc00"}, "have a contrast of 1.2"),
        ({"accent": "#ffcc00"}, "is the nearest that will do"),
        ({"accent_text": "#7a1f5c"}, "a contrast of 1 to 1; at least 4.5 to 1"),
        ({"dark_accent": "#7a1f5c"}, "Links in #7a1f5c on the page's #223034"),
        ({"accent": "red"}, "Write a colour as #"),
        ({"accent": "#12345"}, "Write a colour as #"),
        ({"accent": "", "dark_accent": "#ffffff"}, "Choose this one first"),
        ({"page_title": "x" * 61}, "at most 60 characters"),
        ({"disclaimer": "x" * 501}, "at most 500 characters"),
        ({"page_title": "a\x00b"}, "Null characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_ratio(north, url, wrong, words):
    assert words in refusals(north.client.post(url, {**FIELDS, **wrong}))
    assert Branding.objects.get(pk=north.branding.pk).accent == ""


def test_the_operator_has_one_for_each_organization(south, operator, log_in, north):
    client = log_in(operator)
    assert {row.pk for row in client.get(page(Branding, "changelist")).context["cl"].result_list} == {
        north.branding.pk,
        south.branding.pk,
    }
    again = {**FIELDS, "organization": south.organization.pk}
    assert "already exists" in refusals(client.post(page(Branding, "add"), again))


def test_deleting_it_brings_the_portals_own_look_back(north, url, client):
    north.client.post(url, {**FIELDS, "logo_file": file(png(120, 40))})
    assert north.client.post(page(Branding, "delete", north.branding.pk), {"post": "yes"}).status_code == 302
    assert not BrandImage.objects.exists()
    assert "/brand/" not in client.get(north.organization.get_absolute_url()).content.decode()


# --- The sample ---------------------------------------------------------------------------------------------------


def test_the_sample_shows_what_is_typed_and_saves_nothing(north, url):
    answer = north.client.post(PREVIEW, {**FIELDS, "logo_file": file(png(120, 40))})
    html = answer.content.decode()
    assert "7a1f5c-ffffff-" in html
    assert html.count('src="data:image/png;base64,') == 2
    assert html.count("For patients.") == 2
    assert "North post" in html
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert Branding.objects.get(pk=north.branding.pk).page_title == "north post"
    assert not BrandImage.objects.exists()


def test_the_sample_says_what_would_be_refused(north):
    html = north.client.post(PREVIEW, {**FIELDS, "accent": "#ffcc00", "logo_file": file(b"MZ")}).content.decode()
    assert "have a contrast of 1.2" in html
    assert "not a whole picture" in html
    assert "0b5567" in html  # the portal's own colours until then


def test_the_sample_of_anothers_is_ones_own(north, south):
    for asked in (south.organization.pk, "nonsense", ""):
        html = north.client.get(f"{PREVIEW}?organization={asked}").content.decode()
        assert "North Clinic" in html
        assert "South" not in html


def test_files_are_for_administrators_and_marked_pages_only(north, sender, log_in, url):
    logo = {**FIELDS, "logo_file": file(png(120, 40))}
    refused = log_in(sender).post(url, logo)
    assert refused.url.startswith("/admin/login/")
    elsewhere = page(type(north.group), "change", north.group.pk)
    unmarked = north.client.post(elsewhere, {"name": "x", "file": file(png(3, 2))})
    assert not refused.wsgi_request.FILES
    assert not unmarked.wsgi_request.FILES


@pytest.mark.parametrize(("role", "status"), [(roles.Role.BASIC, 403), (roles.Role.AUDITOR, 403)])
def test_with_a_role_it_is_only_looked_at(playing, north, url, role, status):  # noqa: F811
    client = playing(role)
    assert client.get(url).status_code == 200
    assert 'type="file"' not in client.get(url).content.decode()
    assert client.post(url, FIELDS).status_code == status
    assert playing(roles.Role.HELP_DESK).get(PREVIEW).status_code == 403
