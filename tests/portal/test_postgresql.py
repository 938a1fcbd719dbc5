"""Whether a kept connection still stands is known without asking the server; and what is asked again and again is
planned once over each."""

import select
from contextlib import suppress

import psycopg2
import pytest
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import F, Value
from django.test.utils import CaptureQueriesContext

from portal.models import Organization
from portal.prepared import Prepared, PreparedUpdate

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


# --- Statements that are prepared ----------------------------------------------------------------------------


@pytest.fixture
def named(organization):
    """named(name=…): a prepared query whose SQL holds values that change and others that stay."""
    Organization.objects.create(name="100% of it", slug="whole")
    yield Prepared(
        lambda name: (
            Organization.objects.filter(name=name)
            .exclude(slug__contains="50%")
            .annotate(word=Value("a %s word"))
            .values_list("name", "word")
        )
    )
    connection.close()  # and with it what was prepared


def prepared() -> list[tuple[str, int, int]]:
    """What the server keeps for this connection; how often each was executed as planned once, and planned anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements")
        return cursor.fetchall()


def test_a_query_is_prepared_once_for_each_connection(named):
    for _connection in range(2):
        connection.close()
        for name in ("100% of it", "another", "100% of it"):
            assert named(name=name) == ([(name, "a %s word")] if name != "another" else [])
        [(statement, executed, planned)] = prepared()
        assert "100%" not in statement and "$1" in statement
        assert (executed, planned) == (3, 0)


def test_it_is_prepared_anew_where_the_server_ended_the_session(named, elsewhere, session):
    assert named(name="100% of it")
    elsewhere.execute("SELECT pg_terminate_backend(%s, 5000)", [session])
    close_old_connections()
    assert named(name="100% of it") == [("100% of it", "a %s word")]


def test_where_it_could_not_be_prepared_it_is_the_next_time(named):
    with pytest.raises(DatabaseError, match="aborted"), transaction.atomic():
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        named(name="100% of it")
    assert prepared() == []
    for _time in range(2):
        assert named(name="100% of it") == [("100% of it", "a %s word")]


def test_a_column_that_is_altered_meanwhile_breaks_nothing(named):
    """By a migration, beside processes of the release before."""
    name = Organization._meta.get_field("name")
    assert named(name="100% of it")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portal_organization ALTER COLUMN name TYPE varchar(999)")
    try:
        for _time in range(2):
            assert named(name="100% of it") == [("100% of it", "a %s word")]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE portal_organization ALTER COLUMN name TYPE {name.db_type(connection)}")


def test_in_a_transaction_it_fails_once(named):
    assert named(name="100% of it")
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(DatabaseError, match="does not exist"), transaction.atomic():
        named(name="100% of it")
    with transaction.atomic():
        assert named(name="100% of it") == [("100% of it", "a %s word")]


def test_an_update_is_prepared_too(named):
    rename = PreparedUpdate(lambda slug, name: (Organization.objects.filter(slug=slug), {"name": name}))
    assert [rename(slug="whole", name=f"{n} %") for n in range(3)] == [1, 1, 1]
    assert Organization.objects.get(slug="whole").name == "2 %"
    assert [counted for _statement, *counted in prepared()] == [[3, 0]]


def test_lists_of_queries_tell_what_was_asked(named):
    named(name="100% of it")
    with CaptureQueriesContext(connection) as queries:
        named(name="100% of it")
        Organization.objects.filter(name=F("slug")).exists()
    first, second = (query["sql"] for query in queries)
    assert first.startswith("SELECT") and "= '100% of it'" in first
    assert second.startswith("SELECT 1")
