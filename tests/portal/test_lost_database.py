"""The database goes away while mail is being sent: no mail is to blame, none is lost, none leaves twice."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import psycopg2
import pytest
from django.db import InterfaceError, OperationalError, connection

from portal import connections, delivery, moments, outbox
from portal.lost_database import outlasted
from portal.models import MailHold, MailSlot, OutgoingMail
from portal.outbox import State

from .conftest import age, deliver_again, render

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite is a file: nothing cuts a connection to it"),
]

GONE = (OperationalError, InterfaceError)


@pytest.fixture
def crash() -> Iterator[Callable[[], None]]:
    """crash(): every connection to the database is cut, and for half a second it takes no other."""
    name = connection.settings_dict["NAME"]
    elsewhere = psycopg2.connect(**connection.get_connection_params() | {"dbname": "postgres"})
    elsewhere.autocommit = True
    repairs: list[threading.Timer] = []

    def ask(sql: str, *parameters: object) -> None:
        with elsewhere.cursor() as cursor:
            cursor.execute(sql, parameters)

    def crash_it() -> None:
        ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", name)
        repairs.append(threading.Timer(0.5, ask, [f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true']))
        repairs[-1].start()

    yield crash_it
    for repair in repairs:
        repair.join()
    elsewhere.close()
    connection.close()


@pytest.fixture
def lose(crash) -> Callable[[], None]:
    """lose(): the same, once."""
    calls = iter([crash])
    return lambda: next(calls, lambda: None)()


def rows(*fields: str) -> list[tuple]:
    return list(OutgoingMail.objects.order_by("to_address").values_list(*fields))


def losing(lose: Callable[[], None]) -> Callable[[str], None]:
    """A script action: the database is lost, then the server answers as usual."""

    def action(_argument: str) -> None:
        lose()

    return action


def test_while_texts_are_made_all_that_were_claimed_together_are_due_as_before(enqueue, server, lose, caplog):
    first, *_others = [enqueue(f"r{number}@outside.example") for number in range(3)]
    before = rows("due_at")

    def render_without_a_database(mail):
        if mail.pk != first.pk:
            lose()
            moments.now()
        return render(mail)

    outbox.register("probe", render_without_a_database)
    with pytest.raises(GONE):
        delivery.deliver_due()  # one, then two together
    assert rows("state", "attempts", "lease_until", "server_reply")[1:] == [(State.DUE, 0, None, "")] * 2
    assert rows("due_at") == before
    assert "cannot be written" not in caplog.text
    assert delivery.deliver_due() == 2
    assert len(server.seen) == 3


def render_and_lose(mail):
    """What this mail asks ends its session, each time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_mail_whose_writing_ends_its_session_each_time_fails_as_any_other_and_is_told(enqueue, server):
    told = []
    outbox.register("probe", render_and_lose, failed=lambda mail: told.append(mail.pk))
    mail = enqueue()
    for attempts in (1, 2):
        assert deliver_again(mail) == 0
        mail.refresh_from_db()
        assert (mail.state, mail.attempts, mail.lease_until) == (State.DUE, attempts, None)
        assert mail.server_reply == "The text could not be made: OperationalError"
        assert mail.due_at > moments.now() + timedelta(seconds=5)
    age(mail, first_tried_at=timedelta(hours=48))
    assert (deliver_again(mail), told) == (1, [mail.pk])
    assert rows("state", "attempts") == [(State.FAILED, 3)]


def test_a_failure_whose_telling_crashes_the_database_each_time_is_one_all_the_same(enqueue, server, crash):
    def crash_and_ask(_mail: OutgoingMail) -> None:
        crash()
        moments.now()

    outbox.register("probe", render, failed=crash_and_ask)
    enqueue("r1@outside.example")
    enqueue("r2@outside.example")
    server.script["RCPT"] = lambda argument: "550 no such user" if "r1@" in argument else None
    assert delivery.deliver_due() == 2
    assert rows("state", "attempts", "server_reply") == [
        (State.FAILED, 1, "550 no such user"),
        (State.SENT, 1, "250 OK"),
    ]


def test_a_session_that_ends_once_while_a_failure_is_told_is_no_reason_not_to_tell(enqueue, server):
    ends, told = iter([render_and_lose]), []

    def tell(mail: OutgoingMail) -> None:
        next(ends, told.append)(mail.pk)

    outbox.register("probe", render, failed=tell)
    mail = enqueue()
    server.script["RCPT"] = "550 no such user"
    assert delivery.deliver_due() == 1
    assert (rows("state", "attempts"), told) == ([(State.FAILED, 1)], [mail.pk])


def test_it_does_not_stop_the_others_nor_count_against_them(enqueue, server):
    mails = [enqueue(f"r{number:02}@outside.example") for number in range(20)]
    poison = mails[11]
    outbox.register("probe", lambda mail: render_and_lose(mail) if mail.pk == poison.pk else render(mail))
    for _turn in range(6):
        with suppress(*GONE):
            delivery.deliver_due()
    expected = [(State.SENT, 1)] * len(mails)
    expected[11] = (State.DUE, 1)
    assert rows("state", "attempts") == expected
    assert len(server.seen) == len(mails) - 1


def test_at_the_last_word_the_mail_stays(enqueue, server, lose):
    enqueue()
    server.script["RCPT"] = losing(lose)
    with pytest.raises(GONE):
        delivery.deliver_due()
    assert "DATA" not in server.verbs
    assert rows("state", "attempts", "lease_until") == [(State.DUE, 0, None)]
    assert delivery.deliver_due() == 1
    assert len(server.seen) == 1


def test_a_text_that_cannot_be_made_is_still_the_mails_own_fault(enqueue, server):
    def render_wrongly(mail):
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column FROM portal_outgoingmail")

    outbox.register("probe", render_wrongly)
    enqueue()
    assert delivery.deliver_due() == 0
    assert rows("state", "attempts", "server_reply") == [(State.DUE, 1, "The text could not be made: ProgrammingError")]


@pytest.mark.parametrize(
    ("answer", "state", "attempts"),
    [("250 taken", State.SENT, 1), ("550 no such user", State.FAILED, 1), ("451 later", State.DUE, 1)],
)
def test_what_the_server_has_said_is_not_lost_with_the_hold_that_it_lifts(
    enqueue, server, lose, answer, state, attempts
):
    mail = enqueue()
    now = moments.now()
    key = f"relay:127.0.0.1:{server.port}"
    MailHold.objects.create(key=key, name="relay", since=now, until=now - timedelta(seconds=1), words="was away")

    def answered(_argument: str) -> str:
        lose()
        return answer

    server.script["DOT"] = answered
    delivery.deliver_due()
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.ambiguous_at, mail.server_reply) == (state, attempts, None, answer)
    assert not MailHold.objects.exists()
    assert len(server.seen) == 1


def test_nor_with_the_connection_that_gives_its_place_back(enqueue, mx, route, lose, monkeypatch):
    monkeypatch.setattr(connections, "MOST_MAILS", 0)
    route(tls="opportunistic")
    mail = enqueue()
    mx.script["DOT"] = losing(lose)
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.ambiguous_at, len(mx.seen)) == (State.SENT, None, 1)
    assert MailSlot.objects.filter(leased_until__gt=moments.now()).count() == 1, "free when its lease is over"


def test_what_is_never_answered_is_an_error_in_the_end(monkeypatch):
    monkeypatch.setattr("portal.lost_database._PAUSES", (0.01, 0.01))
    asked = []

    def ask() -> None:
        asked.append(time.monotonic())
        raise OperationalError("the database is away")

    with pytest.raises(OperationalError):
        outlasted(ask, "Whatever it was")
    assert len(asked) == 3
