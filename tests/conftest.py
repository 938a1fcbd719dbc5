"""The cast, and the real servers the suite talks to."""

import gc
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy

import pytest
from django.test import Client

from accounts.models import Domain, User
from portal import connections
from portal.models import Organization
from securemsg.mail_catcher import LoopbackSMTP

PASSWORD = "a kettle on the seventh roof"


def pytest_collection_finish() -> None:
    """What stays for the whole run, thousands of tests and all modules, need not be looked through for garbage again
    and again: that took a seventh of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture
def organization(db) -> Organization:
    organization = Organization.objects.create(name="North Clinic", slug="north", undo_seconds=0)
    Domain.objects.create(organization=organization, name="north.example", is_internal=True)
    return organization


@pytest.fixture
def other_organization(db) -> Organization:
    organization = Organization.objects.create(name="South Council", slug="south", undo_seconds=0)
    Domain.objects.create(organization=organization, name="south.example", is_internal=True)
    return organization


@pytest.fixture
def make_user(db) -> Callable[..., User]:
    """make_user(organization, address, **fields): a person with PASSWORD as their own password (None: never set)."""

    def make(organization: Organization, address: str, *, password: str | None = PASSWORD, **fields) -> User:
        from django.utils import timezone

        domain, _ = Domain.objects.get_or_create(organization=organization, name=address.partition("@")[2])
        user = User(organization=organization, domain=domain, address=address, **fields)
        if password is None:
            user.set_unusable_password()
        else:
            user.set_password(password)
            user.password_set_at = timezone.now()
        user.save()
        return user

    return make


@pytest.fixture
def sender(organization, make_user) -> User:
    """Internal and licensed."""
    return make_user(organization, "sender@north.example", name="Demo Sender", is_licensed=True)


@pytest.fixture
def colleague(organization, make_user) -> User:
    """Internal, without a licence."""
    return make_user(organization, "colleague@north.example", name="Colleague")


@pytest.fixture
def recipient(organization, make_user) -> User:
    return make_user(organization, "first@outside.example", name="First Recipient")


@pytest.fixture
def second_recipient(organization, make_user) -> User:
    return make_user(organization, "second@elsewhere.example", name="Second Recipient")


@pytest.fixture
def stranger(other_organization, make_user) -> User:
    """The first recipient's address, in another organisation: another person."""
    return make_user(other_organization, "first@outside.example", name="Stranger")


@pytest.fixture
def administrator(organization, make_user) -> User:
    return make_user(organization, "admin@north.example", name="Administrator", is_staff=True)


@pytest.fixture
def other_administrator(other_organization, make_user) -> User:
    return make_user(other_organization, "admin@south.example", name="Other Administrator", is_staff=True)


@pytest.fixture
def operator(organization, make_user) -> User:
    """Runs the installation."""
    return make_user(organization, "operator@north.example", name="Operator", is_staff=True, is_superuser=True)


@pytest.fixture
def log_in() -> Callable[[User], Client]:
    """log_in(user): a browser of that person's own, already inside."""

    def log_in_as(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in_as


class _Sink:
    """Takes whatever arrives; each mail is an EmailMessage with its envelope recipients in .rcpt."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        message = BytesParser(policy=email_policy).parsebytes(envelope.content)
        message.rcpt = list(envelope.rcpt_tos)  # type: ignore[attr-defined]
        self.messages.append(message)  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def smtp(settings) -> Iterator[_Sink]:
    """A real SMTP server on loopback that the portal's mail goes to."""
    sink = _Sink()
    controller = LoopbackSMTP(sink)
    controller.start()
    settings.EMAIL_HOST = controller.hostname
    settings.EMAIL_PORT = controller.port
    yield sink
    connections.close_idle(everything=True)
    controller.stop()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict:
    """Debian's Chromium without the window around the page, which took as long to draw as the page; as root it starts
    only without its own sandbox."""
    return {"executable_path": "/usr/bin/chromium-headless-shell", "args": ["--no-sandbox"]}
