"""The newcomer's organisation and its people, made on the first start and found again on every later one."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import transaction

from accounts import correspondents, directories, passwords
from accounts.models import Domain, User
from portal.models import Organization

from .kept import kept_secret

SLUG = "demo"
ROLES = {
    "sender@demo.example": ("Demo Sender", "sender"),
    "recipient@outside.example": ("Demo Recipient", "recipient"),
    "admin@demo.example": ("Demo Administrator", "administrator"),
}


@dataclass(frozen=True)
class DemoPerson:
    name: str
    email: str
    password: str  # the first one; whoever changes it in the portal keeps it to themselves
    role: str


def prepare(folder: Path) -> tuple[Organization, list[DemoPerson]]:
    """Make what is missing. Passwords are random, made once per installation and kept in the folder."""
    kept = json.loads(kept_secret(folder / "passwords.json", _new_passwords))
    with transaction.atomic():
        organization, _ = Organization.objects.get_or_create(slug=SLUG, defaults={"name": "Demo Clinic"})
        Domain.objects.get_or_create(organization=organization, name="demo.example", defaults={"is_internal": True})
        correspondents.find_or_create(organization, {address: name for address, (name, _) in ROLES.items()})
        users = {user.address: user for user in User.objects.filter(organization=organization, address__in=ROLES)}
        for address, user in users.items():
            if not user.has_own_password:
                passwords.set_own_password(user, kept[address])
        _give_roles(users)
    return organization, [DemoPerson(name, address, kept[address], role) for address, (name, role) in ROLES.items()]


def _give_roles(users: dict[str, User]) -> None:
    administrator, sender = users["admin@demo.example"], users["sender@demo.example"]
    if not administrator.is_staff:
        administrator.is_staff = True
        administrator.save(update_fields=["is_staff"])
        directories.license_sender(actor=administrator, user=sender, licensed=True)


def _new_passwords() -> str:
    return json.dumps({address: _new_password() for address in ROLES}, indent=2)


def _new_password() -> str:
    """24 characters that can be read aloud and typed, about 61 bits."""
    consonants, vowels = "bdfghjklmnprst", "aeiou"
    groups = ("".join(secrets.choice(letters) for letters in (consonants, vowels) * 2) for _ in range(5))
    return "-".join(groups)


def as_json(people: list[DemoPerson]) -> list[dict[str, str]]:
    return [asdict(person) for person in people]
