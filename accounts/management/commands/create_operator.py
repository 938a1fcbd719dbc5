import getpass
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify

from portal import audit
from portal.models import Organization

from ... import credentials, directories, password_rules, passwords
from ...models import Domain, User


class Command(BaseCommand):
    help = (
        "Make the person who runs this installation: may create organisations and see all of them in the "
        "administration console. Belongs to one organisation, as everybody does; the first one can be made with it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="The operator's email address.")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="The portal URL prefix: /p/SLUG/.")
        parser.add_argument("--new", metavar="NAME", help="Make the organisation, under this name.")
        parser.add_argument("--name", default="", help="The operator's name.")
        parser.add_argument(
            "--temporary",
            action="store_true",
            help="Print a temporary password, good for 24 hours, instead of asking for one.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = directories.normalize_address(options["address"])
        except directories.InvalidAddress as error:
            raise CommandError(str(error)) from None
        organization = _organization(options["organization"], options["new"])
        operator = _new_operator(organization, address, options["name"])
        # Asked before the transaction begins: nobody should wait for a lock while a person thinks.
        password = None if options["temporary"] else _ask_for_password(operator)
        temporary = _make(operator, password)
        self.stdout.write(f"{address} is an operator. Log in at {settings.BASE_URL}{organization.get_absolute_url()}")
        if temporary:
            self.stdout.write(f"Temporary password, shown only now: {temporary}")


def _organization(slug: str, new_name: str | None) -> Organization:
    """The organisation; with a name, a new one that is not saved yet."""
    found = Organization.objects.filter(slug=slug).first()
    if found and new_name:
        raise CommandError(f"There is an organisation “{slug}” already: leave out --new.")
    if found:
        return found
    if not new_name:
        raise CommandError(f"There is no organisation “{slug}”. To make it, add --new followed by its name.")
    if slugify(slug) != slug:
        raise CommandError("--organization: lower-case letters, digits and dashes only.")
    return Organization(slug=slug, name=new_name)


def _new_operator(organization: Organization, address: str, name: str) -> User:
    if User.objects.filter(organization_id=organization.pk, address=address).exists():
        raise CommandError(f"{address} is in the directory of “{organization.slug}” already. Nothing was changed.")
    return User(organization=organization, address=address, name=name, is_staff=True, is_superuser=True)


def _ask_for_password(operator: User) -> str:
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password, once more: "):
        raise CommandError("The two were not the same. Nothing was made.")
    try:
        password_rules.validate(password, operator)
    except ValidationError as error:
        raise CommandError(" ".join([*error.messages, "Nothing was made."])) from None
    return password


def _make(operator: User, password: str | None) -> str | None:
    """Save it all; without a password, returns a temporary one."""
    organization = operator.organization
    with transaction.atomic():
        if organization._state.adding:
            organization.save(force_insert=True)
        operator.domain, _made = Domain.objects.get_or_create(
            organization=organization, name=operator.address.rpartition("@")[2], defaults={"is_internal": True}
        )
        operator.set_unusable_password()
        operator.save(force_insert=True)
        audit.record(organization, "operator.created", about=operator.pk)
        if password is None:
            return credentials.issue(actor=operator, user=operator)
        passwords.set_own_password(operator, password)
    return None
