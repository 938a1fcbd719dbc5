"""Whether a kept connection still stands is known without asking the server."""

import select

import psycopg2
import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite is a file: there is no connection"),
]


@pytest.fixture
def elsewhere():
    """A session beside the one under test, which can look at that and end it."""
    other = psycopg2.connect(**connection.get_connection_params() | {"dbname": "postgres"})
    other.autocommit = True
    yield other.cursor()
    other.close()
    connection.close()


@pytest.fixture
def session() -> int:
    """The process of the server's that the connection under test talks to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def last_query(elsewhere, session: int) -> str:
    elsewhere.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [session])
    return elsewhere.fetchone()[0]


def test_one_that_stands_is_used_and_nothing_is_asked(elsewhere, session):
    assert connection.is_usable()
    assert last_query(elsewhere, session) == "SELECT pg_backend_pid()"


def test_one_whose_server_has_gone_is_not(elsewhere, session):
    elsewhere.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
    assert not connection.is_usable()


def test_one_that_was_closed_here_is_not(elsewhere, session):
    connection.connection.close()
    assert not connection.is_usable()


def test_something_to_read_is_no_end(elsewhere, session):
    with connection.cursor() as cursor:
        cursor.execute("LISTEN probe")
    elsewhere.execute("SELECT datname FROM pg_stat_activity WHERE pid = %s", [session])
    [name] = elsewhere.fetchone()
    other = psycopg2.connect(**connection.get_connection_params() | {"dbname": name})
    other.autocommit = True
    other.cursor().execute("NOTIFY probe")
    other.close()
    assert select.select([connection.connection], [], [], 10)[0], "it has arrived"
    assert connection.is_usable()
    assert last_query(elsewhere, session) == "SELECT 1"


def test_the_next_request_after_a_restart_gets_a_new_one(elsewhere, session, client, organization):
    connection.health_check_enabled = True
    connection.health_check_done = False
    elsewhere.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
    assert client.get("/p/north/").status_code == 200
