"""How much of what takes long each of the two suites does."""

from django.db import connection


def amount(whole: int) -> int:
    """All of it on PostgreSQL, where people run the portal; a fifth in `make test`, which is to take few minutes."""
    return whole if connection.vendor == "postgresql" else whole // 5
