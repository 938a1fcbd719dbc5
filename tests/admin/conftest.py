from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import Domain, Group, LogInAttempt, User
from messaging.models import (
    Activity,
    ApprovedReading,
    Definition,
    DefinitionFolder,
    Erasure,
    LicensedSender,
    MassRecall,
    Message,
    RecipientUse,
)
from portal import audit, keyring, moments, outbox
from portal.models import (
    AuditEvent,
    Branding,
    DkimKey,
    Import,
    MailCheck,
    MailRoute,
    NotificationText,
    Organization,
)


@pytest.fixture
def north(organization, sender, administrator, log_in) -> SimpleNamespace:
    """The organisation of the administrator who has just logged in in this browser, with a row of every kind."""
    client = just_confirmed(log_in(administrator))
    return SimpleNamespace(organization=organization, client=client, **_furnish(organization, sender))


def just_confirmed(client: Client, ago: timedelta = timedelta(0)) -> Client:
    """A browser whose person has shown who they are, so long ago."""
    session = client.session
    session["confirmed_at"] = (moments.now() - ago).isoformat()
    session.save()
    return client


@pytest.fixture
def south(other_organization, other_administrator, stranger) -> SimpleNamespace:
    """Another organisation, with a row of every kind."""
    return SimpleNamespace(organization=other_organization, **_furnish(other_organization, other_administrator))


def _furnish(organization: Organization, user: User) -> dict[str, Model]:
    slug = organization.slug
    external, _ = Domain.objects.get_or_create(organization=organization, name=f"partner.{slug}.example")
    group = Group.objects.create(organization=organization, name=f"{slug} people")
    group.members.add(user)
    folder = DefinitionFolder.objects.create(organization=organization, name=f"{slug} folder")
    folder.groups.add(group)
    RecipientUse.objects.create(sender=user, month=date(2001, 2, 1), address=f"partner@{slug}.example")
    now = moments.now()
    message = Message.objects.create(
        organization=organization,
        sender=user,
        retention_key=keyring.retention_key_for(organization, now),
        subject=b"",
        body=b"",
        sent_at=now,
        purged_at=now,
    )
    mail = outbox.new_mail(
        organization=organization,
        kind="notification",
        about=message.pk,
        to_address=f"partner@{slug}.example",
        dedupe_key=slug,
        due_at=now,
    )
    mail.save()
    return {
        "activity": Activity.objects.create(organization=organization, begins_at=now - timedelta(days=31)),
        "mail": mail,
        "key": _dkim_key(organization),
        "check": MailCheck.objects.create(organization=organization),
        "route": MailRoute.objects.create(organization=organization, domain=f"partner.{slug}.example"),
        "erasure": _erasure(organization, user),
        "text": NotificationText.objects.create(
            organization=organization, kind="reminder", subject=f"{slug} reminder", text="{organization}"
        ),
        "branding": Branding.objects.create(organization=organization, page_title=f"{slug} post"),
        "import": Import.objects.create(organization=organization, actor=user, kind="users", ordered_at=now),
        "message": message,
        "reading": ApprovedReading.objects.create(
            organization=organization,
            message=message,
            asked_by=user,
            asked_at=now - timedelta(days=2),
            reason=f"{slug} reason",
        ),
        "recall": MassRecall.objects.create(organization=organization, actor=user, ordered_at=now, finished_at=now),
        "user": user,
        "group": group,
        "folder": folder,
        "internal": user.domain,
        "external": external,
        "definition": Definition.objects.create(organization=organization, description=f"{slug} terms"),
        "attempt": LogInAttempt.objects.create(
            organization=organization,
            user=user,
            address=user.address,
            reference=slug.upper(),
            cause=LogInAttempt.Cause.WRONG,
            at=timezone.now(),
            url=f"/p/{slug}/",
            browser="Firefox",
            network="192.0.2.1",
            limited_as="192.0.2.1",
        ),
        "event": audit.record(organization, "user.changed", actor=user, about=user.pk, name=f"{slug} user"),
    }


def _erasure(organization: Organization, user: User) -> Erasure:
    now = moments.now()
    return Erasure.objects.create(organization=organization, user=user, actor=user, ordered_at=now, finished_at=now)


def _dkim_key(organization: Organization) -> DkimKey:
    key = DkimKey(organization=organization, domain="portal.example", selector=organization.slug)
    key.created_at = moments.now()
    key.save()
    return key


@pytest.fixture
def playing(north, administrator, make_user):
    """playing(role): a browser of an administrator of north with that role."""

    def play(role: str) -> Client:
        user = make_user(north.organization, f"{role or 'whole'}@north.example", is_staff=True)
        roles.give_role(actor=administrator, user=user, role=role)
        client = Client()
        client.force_login(user)
        client.user = user  # type: ignore[attr-defined]
        return client

    return play


@pytest.fixture
def rows() -> Callable[[SimpleNamespace], dict[type[Model], Model]]:
    """rows(place): one row for each model in the console, which fails when a model is missing here."""

    def rows_of(place: SimpleNamespace) -> dict[type[Model], Model]:
        by_label = {
            "accounts.InternalDomain": place.internal,
            "accounts.ExternalDomain": place.external,
            "accounts.User": place.user,
            "accounts.Group": place.group,
            "accounts.LogInAttempt": place.attempt,
            "messaging.Definition": place.definition,
            "messaging.DefinitionFolder": place.folder,
            "messaging.Message": place.message,
            "messaging.MassRecall": place.recall,
            "messaging.Erasure": place.erasure,
            "messaging.ApprovedReading": place.reading,
            "messaging.LicensedSender": LicensedSender.objects.get(pk=place.user.pk),
            "portal.Organization": place.organization,
            "portal.Branding": place.branding,
            "portal.NotificationText": place.text,
            "portal.OutgoingMail": place.mail,
            "portal.MailRoute": place.route,
            "portal.DkimKey": place.key,
            "portal.MailCheck": place.check,
            "portal.Import": getattr(place, "import"),
            "portal.AuditEvent": place.event,
        }
        return {model: by_label[model._meta.label] for model in admin.site._registry}

    return rows_of


@pytest.fixture
def events() -> Callable[..., list[tuple[str, str]]]:
    """events(row): what the audit log says about it, oldest first, as (who, action)."""

    def events_about(row: Any) -> list[tuple[str, str]]:
        return list(
            AuditEvent.objects.filter(about=row.pk).order_by("id", "action").values_list("actor_address", "action")
        )

    return events_about


def page(model: type[Model] | Model, name: str, *args: Any) -> str:
    """The address of one of a model's pages in the console."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)
