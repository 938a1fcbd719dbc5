"""The second way to run, as README.md starts it: web, worker and clock as processes of their own."""

import io
import subprocess
from pathlib import Path

from django.db import connection

from tests.in_the_clear import files_holding, words_in
from tests.portal_process import free_port

from .processes import Crew, Process, Redis


class Installation(Crew):
    def __init__(self, folder: Path, redis: Redis, smtp_port: int) -> None:
        super().__init__(folder, redis, smtp_port)
        self.redis = redis
        self.address = f"127.0.0.1:{free_port()}"
        self.environment |= {"BASE_URL": self.url, "ALLOWED_HOSTS": "127.0.0.1"}

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def web(self) -> Process:
        options = ["--config", "deploy/gunicorn.conf.py", "--bind", self.address, "securemsg.wsgi"]
        return self._run("web", ["gunicorn", *options]).wait_for("Booting worker")

    def overhear(self) -> Path:
        """A file with every word that Redis is told from now on."""
        log = self.folder / "overheard.log"
        command = ["redis-cli", "-p", str(self.redis.port), "MONITOR"]
        self.started.append(Process(command, log).wait_for("OK"))
        return log


def database_holds(words: list[str], scratch: Path) -> list[str]:
    """Every table, or the database's own files, that hold one of the words."""
    if connection.vendor == "sqlite":
        # Copied by another process: closing the file here would drop the locks that SQLite holds on it.
        copies = scratch / "database"
        copies.mkdir(exist_ok=True)
        subprocess.run(["sh", "-c", 'cp "$0"* "$1"', connection.settings_dict["NAME"], copies], check=True)
        return files_holding(copies, words)
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            content = io.BytesIO()
            # Bytes come as hexadecimal digits.
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', content)
            found += [f"{table}: {word}" for word in words_in(content.getvalue(), words)]
    return found
