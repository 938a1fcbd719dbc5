"""An organisation's style sheet and pictures, as any visitor gets them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal import pictures
from portal.branding import remove, set_picture
from portal.colours import Palette
from portal.models import BrandImage, Branding

from ..small_pictures import ico, png


@pytest.fixture
def branding(organization) -> Branding:
    row = Branding.objects.create(organization=organization, accent="#7a1f5c", page_title="North post")
    set_picture(row, "logo", pictures.read(png(120, 40)))
    set_picture(row, "favicon", pictures.read(ico(png(32, 32))))
    return row


def test_the_style_sheet_is_made_of_its_name_and_kept_for_a_year(client, db, django_assert_num_queries):
    url = reverse("colours", args=[Palette.of("#7a1f5c").name])
    with django_assert_num_queries(0):
        response = client.get(url)
    text = response.content.decode()
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert ":root{--petrol:#7a1f5c;" in text
    assert "prefers-color-scheme:dark" in text
    again = client.get(url, headers={"if-none-match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", ["x", "0b5567-ffffff-86cddd", "0b5567-ffffff-86cddd-07242b%7D"])
def test_no_other_style_sheet_exists(client, db, name):
    assert client.get(f"/brand/{name}.css").status_code == 404


@pytest.mark.parametrize(("use", "content_type"), [("logo", "image/png"), ("favicon", "image/x-icon")])
def test_a_picture_is_served_safely_and_kept_for_a_year(client, branding, use, content_type):
    url = getattr(branding, f"{use}_url")
    response = client.get(url)
    headers = response.headers
    assert (response.status_code, headers["Content-Type"]) == (200, content_type)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    assert client.get(url, headers={"if-none-match": headers["ETag"]}).status_code == 304


def test_only_an_organizations_own_picture_by_its_whole_name(client, branding, other_organization):
    assert client.get(reverse("brand_image", args=[other_organization.pk, branding.logo])).status_code == 404
    assert client.get(reverse("brand_image", args=[branding.organization_id, "a.png"])).status_code == 404


def test_the_log_in_page_and_the_pages_inside_carry_them(client, branding, recipient, log_in, organization):
    for browser, url in ((client, organization.get_absolute_url()), (log_in(recipient), reverse("inbox"))):
        html = browser.get(url).content.decode()
        assert f'<link rel="stylesheet" href="{branding.colours_url}">' in html
        assert f'<img class="masthead__logo" src="{branding.logo_url}" alt="">' in html
        assert f'<link rel="icon" href="{branding.favicon_url}">' in html
        assert "· North post</title>" in html
        assert "Access is for the recipient of the message alone." in html


def test_without_branding_pages_are_the_portals_own(client, organization):
    html = client.get(organization.get_absolute_url()).content.decode()
    assert "/brand/" not in html
    assert "· North Clinic</title>" in html
    assert "masthead__mark" in html


def test_inside_a_branding_costs_no_query(branding, recipient, log_in):
    client = log_in(recipient)
    client.get(reverse("inbox"))
    with CaptureQueriesContext(connection) as with_branding:
        client.get(reverse("inbox"))
    remove(branding)
    with CaptureQueriesContext(connection) as without:
        client.get(reverse("inbox"))
    assert len(with_branding) == len(without)


def test_a_disclaimer_of_ones_own_is_text(client, branding, organization):
    Branding.objects.filter(pk=branding.pk).update(disclaimer="For patients & staff.\n\n<b>Nobody</b> else.")
    html = client.get(organization.get_absolute_url()).content.decode()
    assert "For patients &amp; staff." in html
    assert "&lt;b&gt;Nobody&lt;/b&gt; else." in html
    assert "Access is for" not in html


def test_what_no_place_uses_any_more_is_gone(branding, client):
    old = branding.logo_url
    set_picture(branding, "logo", pictures.read(png(60, 40)))
    assert client.get(old).status_code == 404
    assert client.get(branding.logo_url).status_code == 200
    set_picture(branding, "favicon", pictures.read(png(60, 40)))
    assert branding.logo == branding.favicon
    set_picture(branding, "logo", None)
    assert client.get(branding.favicon_url).status_code == 200
    assert BrandImage.objects.count() == 1
