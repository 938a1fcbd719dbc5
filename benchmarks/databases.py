"""Databases of the benchmark's own, beside the one that DATABASE_URL names and called after it, on the same PostgreSQL
server."""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql


@dataclass(frozen=True)
class Databases:
    url: str

    def url_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{self._called(name)}"))

    def _called(self, name: str) -> str:
        # So that whoever measures at the same time, beside another database, keeps theirs.
        return f"{urlsplit(self.url).path[1:]}_benchmark_{name}"

    def create(self, name: str, *, like: str = "template0") -> str:
        """A new database, or a copy of another of ours; returns its URL."""
        self.drop(name)
        template = like if like == "template0" else self._called(like)
        self._execute("CREATE DATABASE {} TEMPLATE {}", self._called(name), template)
        return self.url_of(name)

    def drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._called(name))

    def _execute(self, statement: str, *names: str) -> None:
        connection = psycopg2.connect(self.url)
        connection.autocommit = True  # databases cannot be made in a transaction
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
        connection.close()
