"""What is taken for a picture, and what is not, by its first bytes and lengths alone."""

import pytest

from portal import pictures

from ..small_pictures import bitmap, chunk, extended_webp, ico, jpeg, lossless_webp, lossy_webp, png, webp


@pytest.mark.parametrize(
    ("content", "kind", "width", "height"),
    [
        (png(3, 2), "png", 3, 2),
        (jpeg(640, 480), "jpeg", 640, 480),
        (lossy_webp(550, 368), "webp", 550, 368),
        (lossless_webp(386, 395), "webp", 386, 395),
        (extended_webp(4000, 3), "webp", 4000, 3),
        (ico(png(16, 16), png(48, 48)), "ico", 48, 48),
        (ico(bitmap(16, 16)), "ico", 16, 16),
        # A flood: two gigapixels in a few hundred bytes are known by what the header says.
        (png(50_000, 40_000), "png", 50_000, 40_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_is_and_how_large(content, kind, width, height):
    picture = pictures.read(content)
    assert (picture.kind, picture.width, picture.height) == (kind, width, height)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + bytes(40),
        b"MZ" + bytes(400),
        b"<html><script>alert(1)</script></html>",
        png(3, 2) + b"<script>alert(1)</script>",
        png(3, 2)[:-5],
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n",
        jpeg(3, 2) + b"GIF89a",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xda" + bytes(40) + b"\xff\xd9",
        lossy_webp(3, 2) + b"more",
        webp(b"ALPH", bytes(20)),
        b"RIFF\x04\0\0\0WEBP",
        ico(),
        ico(b"\x28\0\0\0"),
        ico(b"MZ" + bytes(60)),
        ico(png(16, 16))[:-30],
        png(3, 2, extra=chunk(b"acTL", bytes(8))),
        extended_webp(3, 2, flags=0x02),
    ],
)
def test_what_is_no_whole_picture_is_refused(content):
    with pytest.raises(pictures.NotAPicture, match="not a whole picture"):
        pictures.read(content)


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'\n <?xml version="1.0"?><svg/>',
        b"<!-- --><SVG onload=alert(1)>",
    ],
)
def test_svg_is_refused_and_said_so(content):
    with pytest.raises(pictures.NotAPicture, match="SVG pictures can carry scripts"):
        pictures.read(content)


def test_every_beginning_of_a_picture_is_refused_without_an_error():
    for whole in (png(3, 2), jpeg(3, 2), lossy_webp(3, 2), lossless_webp(3, 2), extended_webp(3, 2), ico(png(3, 2))):
        for length in range(len(whole)):
            with pytest.raises(pictures.NotAPicture):
                pictures.read(whole[:length])
