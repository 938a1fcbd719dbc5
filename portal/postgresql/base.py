"""Django's own PostgreSQL backend, but for how it finds out whether a kept connection still stands, and for statements
that are prepared (statements.py)."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg2 import Error

from .statements import Connection, Cursor


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        # What is prepared is planned once, for every value alike: left to choose, PostgreSQL goes on planning the
        # queries of small and middling tables each time they are executed.
        options = f"{conn_params.get('options', '')} -c plan_cache_mode=force_generic_plan"
        own = {"connection_factory": Connection, "cursor_factory": Cursor, "options": options}
        return super().get_new_connection(conn_params | own)

    def is_usable(self) -> bool:
        """Asked before the first query of each request and task. A server that restarts, crashes or ends the session
        closes its end, and a network that fails makes the keep-alives fail: either way there is something to read,
        an end or an error, and the kernel knows without a round trip. Whatever else is there to read, the server is
        asked, as Django always does."""
        if self.connection is None:
            return False
        socket = select.poll()
        try:
            socket.register(self.connection.fileno(), select.POLLIN)
        except Error:  # closed at our end
            return False
        return not socket.poll(0) or super().is_usable()
