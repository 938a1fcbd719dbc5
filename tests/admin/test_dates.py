"""Days and times in the console, written as its reader chose on the page "Account", in the zone they chose."""

import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.utils.formats import get_format

from accounts.models import User
from messaging.models import Message
from portal.dates import AsChosen
from portal.models import AuditEvent, Import

from .conftest import page

AT = datetime(2030, 1, 31, 17, 30, tzinfo=UTC)
CHOICES = [
    ({}, "31 Jan 2030, 17:30 UTC"),
    ({"language": "en"}, "Jan. 31, 2030, 17:30 UTC"),
    ({"date_format": "iso"}, "2030-01-31, 17:30 UTC"),
    ({"date_format": "month_first", "time_format": "12"}, "January 31, 2030, 5:30 p.m. UTC"),
    ({"date_format": "day_first", "time_zone": "Asia/Tokyo"}, "1 February 2030, 02:30 JST"),
]


@pytest.mark.parametrize(("chosen", "written"), CHOICES)
def test_lists_and_facts_follow_the_reader(north, administrator, chosen, written):
    """What Django writes by itself, a list's column and a row's fact; a filter in a template; and what we say."""
    AuditEvent.objects.filter(pk=north.event.pk).update(at=AT)
    Import.objects.filter(pk=getattr(north, "import").pk).update(ordered_at=AT)
    Message.objects.filter(pk=north.message.pk).update(sent_at=AT)
    User.objects.filter(pk=north.user.pk).update(password_set_at=AT)
    User.objects.filter(pk=administrator.pk).update(**chosen)
    for path in (
        page(AuditEvent, "changelist"),
        page(AuditEvent, "change", north.event.pk),
        page(Import, "change", getattr(north, "import").pk),
        page(Message, "change", north.message.pk),
        page(User, "change", north.user.pk),
    ):
        assert written in north.client.get(path).content.decode(), path


def test_the_search_writes_moments_in_full(north, administrator):
    Message.objects.filter(pk=north.message.pk).update(sent_at=AT)
    User.objects.filter(pk=administrator.pk).update(date_format="iso")
    html = north.client.get(
        page(Message, "changelist"), {"start": "2030-01-31T00:00", "end": "2030-02-01T00:00"}
    ).content.decode()
    assert re.search(r'<time datetime="2030-01-31T17:30:00[^"]*">2030-01-31, 17:30 UTC</time>', html)


def test_the_next_reader_has_their_own(north, administrator, recipient, log_in):
    AuditEvent.objects.filter(pk=north.event.pk).update(at=AT)
    User.objects.filter(pk=administrator.pk).update(date_format="iso")
    url = page(AuditEvent, "changelist")
    assert "2030-01-31, 17:30" in north.client.get(url).content.decode()
    User.objects.filter(pk=administrator.pk).update(date_format="")
    assert "31 Jan 2030, 17:30" in north.client.get(url).content.decode()


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_no_language_is_without(language):
    """A language added to the settings takes a folder in portal/formats/ too."""
    assert isinstance(get_format("DATETIME_FORMAT", language), AsChosen)
