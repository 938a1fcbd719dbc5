"""Closing an organisation: what is said before, who may, what ends at once, the way back, and what is destroyed."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.db.models.functions import Now
from django.urls import reverse

from accounts import reauthentication
from accounts.models import Domain, Group, LogInAttempt, PortalSession, SecondFactor, TotpDevice, User
from messaging import closing as of_messages
from messaging import sealed_files
from messaging.models import Attachment, MailboxEntry, Message, Recipient, RecipientUse
from portal import audit, closing, delivery, erased, keyring, pictures, tasks
from portal.branding import set_picture
from portal.models import AuditEvent, BrandImage, Branding, DkimKey, Import, MailRoute, OutgoingMail, RetentionKey

from ..conftest import PASSWORD
from ..messaging.conftest import send, write  # noqa: F401  fixtures
from ..messaging.test_retention import upload
from ..small_pictures import png
from .conftest import just_confirmed

SOUTH = "south"
HISTORY = {"AuditEvent", "AuditLink", "RetentionKey", "Message", "User", "Domain", "Definition", "DefinitionFolder"}


def url(organization, verb: str = "close") -> str:
    return reverse(f"admin:portal_organization_{verb}", args=[organization.pk])


@pytest.fixture
def console(operator, log_in):
    return just_confirmed(log_in(operator))


@pytest.fixture
def author(other_organization, make_user) -> User:
    return make_user(other_organization, "writer@south.example", name="Writer", is_licensed=True)


@pytest.fixture
def message(send, author, stranger) -> Message:  # noqa: F811
    return send(author, to=stranger.address, uploads=[upload()])


@pytest.fixture
def close(console, other_organization):
    """close(): ordered in the console, by typing the prefix."""
    return lambda slug=SOUTH: console.post(url(other_organization), {"slug": slug})


@pytest.fixture
def time_passes(other_organization):
    """The waiting time is over, and the clock has run."""

    def run() -> None:
        type(other_organization).objects.filter(pk=other_organization.pk).update(closing_at=Now())
        tasks.close_organizations()
        other_organization.refresh_from_db()

    return run


def test_it_is_said_beforehand_in_numbers(console, south, message):
    html = console.get(url(south.organization)).content.decode()
    assert "3 people cannot log in any more" in html
    assert "1 message or draft is destroyed" in html
    assert "Attached files of 7\xa0bytes are destroyed." in html
    assert "For 30 days nothing is destroyed, and you can call it off." in html
    assert "There is no way back." in html


def test_nothing_is_said_of_what_is_not_there(console, other_organization):
    html = console.get(url(other_organization)).content.decode()
    assert "There is no way back." in html
    assert not re.search(r"\b0\b.*(destroyed|log in)", html)


def test_only_the_operator_closes(north, south, operator, log_in):
    for verb in ("close", "call_off"):
        assert north.client.post(url(north.organization, verb), {"slug": "north"}).status_code == 403
        assert north.client.post(url(south.organization, verb), {"slug": SOUTH}).status_code == 404
    south.organization.refresh_from_db()
    assert south.organization.closing_at is None
    asked = log_in(operator).post(url(south.organization), {"slug": SOUTH})
    assert asked.url.startswith(reverse("confirm"))


def test_an_old_confirmation_does_not_do(console, other_organization, close):
    just_confirmed(console, ago=reauthentication.LASTS + timedelta(seconds=1))
    assert close().url.startswith(reverse("confirm"))
    other_organization.refresh_from_db()
    assert other_organization.closing_at is None


@pytest.mark.parametrize("typed", ["", "north", "South"])
def test_the_prefix_has_to_be_typed(close, other_organization, typed):
    assert close(typed).status_code == 200
    other_organization.refresh_from_db()
    assert other_organization.closing_at is None


def test_operators_do_not_lock_themselves_out(console, organization):
    response = console.post(url(organization), {"slug": "north"})
    assert "An operator of this installation is among its people." in response.content.decode()
    organization.refresh_from_db()
    assert organization.closing_at is None


def test_nobody_comes_in_from_then_on(close, author, other_administrator, stranger, log_in, client):
    inside = [log_in(person) for person in (author, other_administrator, stranger)]
    assert close().status_code == 302
    for browser in inside:
        assert browser.get(reverse("inbox")).status_code == 302
    for name in ("log_in", "reset_password", "help_page", "set_password", "second_factor"):
        answer = client.get(reverse(name, args=[SOUTH]))
        assert answer.status_code == 410, name
        assert "This portal is closed" in answer.content.decode()
        assert answer["Cache-Control"] == "no-store"
    form = {"address": author.address, "password": PASSWORD}
    assert client.post(reverse("log_in", args=[SOUTH]), form).status_code == 410
    assert client.get(reverse("log_in", args=["north"])).status_code == 200


def test_administrators_alone_get_mail(close, message, other_administrator, smtp, other_organization):
    close()
    delivery.deliver_due()
    [told] = smtp.messages
    assert told["To"] == other_administrator.address
    assert told["Subject"] == "South Council: The portal is being closed"
    states = set(OutgoingMail.objects.filter(kind="notification").values_list("state", flat=True))
    assert states == {OutgoingMail.State.CANCELLED}


def test_it_is_called_off(
    close, console, other_organization, other_administrator, smtp, events, operator, client, log_in
):
    close()
    page = console.get(reverse("admin:portal_organization_change", args=[other_organization.pk])).content.decode()
    assert "Do not close it after all" in page
    assert console.post(url(other_organization, "call_off")).status_code == 302
    tasks.close_organizations()
    delivery.deliver_due()
    [told] = smtp.messages
    assert told["Subject"] == "South Council: The portal stays open"
    assert client.get(reverse("log_in", args=[SOUTH])).status_code == 200
    assert log_in(other_administrator).get(reverse("inbox")).status_code == 200
    assert events(other_organization) == [
        (operator.address, "organization.closing_ordered"),
        (operator.address, "organization.closing_called_off"),
    ]


def test_too_late_it_is_not(close, console, other_organization, time_passes):
    close()
    time_passes()
    answer = console.post(url(other_organization, "call_off"), follow=True)
    assert "It is too late to call this off" in answer.content.decode()
    other_organization.refresh_from_db()
    assert other_organization.closed_at


def test_nothing_is_destroyed_before(close, message, author):
    close()
    tasks.close_organizations()
    assert MailboxEntry.objects.filter(message=message, wrapped_key__isnull=False).count() == 2
    assert RetentionKey.objects.filter(destroyed_at__isnull=True).exists()
    author.refresh_from_db()
    assert author.address == "writer@south.example"


@pytest.mark.django_db(transaction=True)
def test_then_everything_is(close, south, message, author, write, log_in, time_passes):  # noqa: F811
    organization = south.organization
    write(author, to="first@outside.example", uploads=[upload()])
    files = [sealed_files.path_of(row.file_id) for row in Attachment.objects.all()]
    assert [path.exists() for path in files] == [True, True]
    SecondFactor.objects.create(user=author)
    TotpDevice.objects.create(user=author, name="App", sealed_seed=b"seed")
    log_in(author)
    set_picture(south.branding, "logo", pictures.read(png(3, 2)))
    close()
    time_passes()
    assert organization.closed_at
    assert not any(path.exists() for path in files)
    for key in RetentionKey.objects.filter(organization=organization):
        with pytest.raises(keyring.KeyDestroyed):
            keyring.open_retention_key(key)
    assert not MailboxEntry.objects.filter(message__organization=organization, wrapped_key__isnull=False).exists()
    assert not Message.objects.filter(organization=organization, purged_at__isnull=True).exists()
    assert not Message.objects.filter(organization=organization).exclude(subject=b"", body=b"").exists()
    for model in (Attachment, Recipient):
        rows = model.objects.filter(message__organization=organization)
        assert not rows.exclude(**({"address__endswith": erased.DOMAIN} if model is Recipient else {})).exists()
    assert not RecipientUse.objects.filter(sender__organization=organization).exists()
    for model in (SecondFactor, TotpDevice, PortalSession):
        assert not model.objects.filter(user__organization=organization).exists(), model
    assert all(user.is_erased for user in User.objects.filter(organization=organization))


def test_nothing_hangs_on_it_that_is_not_named_here(close, south, message, time_passes):
    """A table that comes later has to be thought of: destroyed, or named as history."""
    close()
    time_passes()
    for model in apps.get_models():
        fields = {field.name for field in model._meta.concrete_fields}
        if "organization" in fields and not model._meta.proxy and model.__name__ not in HISTORY:
            assert not model._default_manager.filter(organization=south.organization).exists(), model
    assert [domain.name for domain in Domain.objects.filter(organization=south.organization)] == ["erased.invalid"]


def test_others_keep_theirs(close, north, south, send, sender, recipient, time_passes, log_in):  # noqa: F811
    kept = send(sender, to=recipient.address)
    close()
    time_passes()
    received = MailboxEntry.objects.get(message=kept, owner=recipient)
    assert log_in(recipient).get(reverse("message", args=[received.pk])).status_code == 200
    for model in (Group, LogInAttempt, MailRoute, DkimKey, Branding, Import, OutgoingMail):
        assert model.objects.filter(organization=north.organization).exists(), model


def test_it_is_written_down_and_the_chain_holds(close, other_organization, message, time_passes):
    close()
    time_passes()
    actions = AuditEvent.objects.filter(organization=other_organization).order_by("id").values_list("action", flat=True)
    assert actions.last() == "organization.closed"
    assert {"organization.closing_ordered", "retention_key.destroyed", "message.purged"} <= set(actions)
    audit.link_all()
    assert audit.verify(other_organization).intact


def test_keys_go_first_and_it_goes_on_where_it_was_left(close, other_organization, message, monkeypatch, time_passes):
    close()
    type(other_organization).objects.filter(pk=other_organization.pk).update(closing_at=Now())
    assert closing.work_off(seconds=0) == 0
    assert not RetentionKey.objects.filter(organization=other_organization, destroyed_at__isnull=True).exists()
    assert MailboxEntry.objects.filter(message=message, wrapped_key__isnull=False).exists()
    for module in (closing, of_messages):
        monkeypatch.setattr(module, "_ROWS", 1)
    time_passes()
    assert other_organization.closed_at
    assert closing.work_off() == 0
    assert AuditEvent.objects.filter(action="organization.closed").count() == 1


def test_the_page_says_so_afterwards(close, console, other_organization, client, time_passes):
    close()
    time_passes()
    page = console.get(reverse("admin:portal_organization_change", args=[other_organization.pk])).content.decode()
    assert "This organisation was closed on" in page
    assert client.get(reverse("log_in", args=[SOUTH])).status_code == 410
    assert not BrandImage.objects.filter(organization=other_organization).exists()
    assert "This organisation is being closed already." in close().content.decode()
