"""The installation that the faults happen to: PostgreSQL, Redis and a mail server of its own, each behind a proxy, and
web, worker and clock as processes of their own."""

import os
import shutil
import sys
from argparse import Namespace
from pathlib import Path

from portal.new_master_key import new_master_key
from tests.in_the_clear import GrowingFiles
from tests.portal_process import ROOT, free_port
from tests.smtp_server import ScriptedServer

from .designs import WHOLE
from .disk import Disk
from .failpoints import Failpoints
from .postgres import Cluster
from .processes import Process, Redis, wait_until
from .proxy import Proxy

CONCURRENCY = 4


class Stage:
    """Made before Django is set up, because Django's settings are told where its database is."""

    def __init__(self, folder: Path, server: ScriptedServer, options: Namespace) -> None:
        folder.chmod(0o755)
        self.folder, self.server, self.options = folder, server, options
        self.pace, self.design, self.release = options.pace, WHOLE, ROOT
        self.disks = [Disk(folder / "postgres", 2048), Disk(folder / "attachments", 1024), Disk(folder / "tmp", 64)]
        self.points = Failpoints(folder / "armed")
        self.cluster = Cluster(folder / "postgres")
        self.redis = Redis(folder)
        self.database_line = Proxy(self.cluster.port)
        self.redis_line = Proxy(self.redis.port)
        self.mail_line = Proxy(server.port)
        self.address = f"127.0.0.1:{free_port()}"
        self.keys = folder / "master.keys"
        self.keys.write_text(new_master_key() + "\n")
        self.attachments = folder / "attachments"
        self.environment = os.environ | self._settings()
        self.processes: dict[str, list[Process]] = {"web": [], "worker": [], "clock": []}
        self.looked_through, self._last_words = GrowingFiles(), GrowingFiles()
        self._number = 0
        self._listener: Process | None = None

    @property
    def lines(self) -> list[Proxy]:
        return [self.database_line, self.redis_line, self.mail_line]

    def _settings(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "securemsg.settings",
            "DATABASE_URL": self.cluster.url.replace(f":{self.cluster.port}/", f":{self.database_line.port}/"),
            "BROKER_URL": f"redis://127.0.0.1:{self.redis_line.port}/0",
            "SMTP_URL": f"smtp://127.0.0.1:{self.mail_line.port}",
            "TMPDIR": str(self.folder / "tmp"),
            "MAIL_PRIVATE_NETWORKS": "127.0.0.0/8",
            "SECRET_KEY": "only-for-the-fault-suite-" + "x" * 40,
            "MASTER_KEYS": "",
            "MASTER_KEYS_FILE": str(self.keys),
            "BASE_URL": f"http://{self.address}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "ATTACHMENTS_DIR": str(self.attachments),
            "MAIL_FROM": "Secure Messaging <no-reply@portal.example>",
            "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
            "LOG_LEVEL": "INFO",
        }

    def own_settings(self) -> dict[str, str]:
        """For the suite's own process, which sees everything as it is, past the proxies."""
        theirs = {"DATABASE_URL", "TMPDIR"}
        own = {name: value for name, value in self._settings().items() if name not in theirs}
        return own | {"DATABASE_URL": self.cluster.url, "LOG_LEVEL": "ERROR"}

    # --- Processes --------------------------------------------------------------------------------------------

    def web(self, *, prefix: tuple[str, ...] = ()) -> Process:
        design = f"tests.faults.web:application('{self.points.folder}', '{self.design}')"
        options = ["--config", "deploy/gunicorn.conf.py", "--bind", self.address, design]
        return self._start("web", [*prefix, sys.executable, "-m", "gunicorn", *options], says="Booting worker")

    def worker(self, concurrency: int = CONCURRENCY, *, prefix: tuple[str, ...] = ()) -> Process:
        options = ["worker", "-c", str(concurrency), "-n", f"w{self._number}@localhost", "-l", "INFO"]
        return self._celery("worker", [*options, "--without-gossip", "--without-mingle"], "ready.", prefix)

    def clock(self, *, prefix: tuple[str, ...] = ()) -> Process:
        options = ["beat", "-s", str(self.folder / f"schedule{self._number}"), "-l", "INFO", "--max-interval", "1"]
        return self._celery("clock", options, "is starting.", prefix)

    def _celery(self, role: str, options: list[str], says: str, prefix: tuple[str, ...]) -> Process:
        arguments = [str(self.points.folder), str(self.pace), self.design]
        return self._start(role, [*prefix, sys.executable, "-m", "tests.faults.worker", *arguments, *options], says)

    def _start(self, role: str, command: list[str], says: str) -> Process:
        self._number += 1
        log = self.folder / f"{role}{self._number}.log"
        process = Process(command, log, self.environment, folder=self.release)
        self.processes[role].append(process)
        return process.wait_for(says, 120)

    def running(self, role: str) -> list[Process]:
        return [process for process in self.processes[role] if process.is_alive()]

    def gave_up(self) -> list[str]:
        """The processes that ended without being told to, or whose Celery has given up though they are there yet."""
        processes = [process for role in self.processes.values() for process in role]
        ended = {str(process.log) for process in processes if process.ended_by_itself()}
        return sorted(
            ended.union(self._last_words.holding([process.log for process in processes], "Unrecoverable error"))
        )

    # --- Well again -------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Whatever was done is undone, and of each kind of process one runs."""
        self.points.disarm()
        self.server.script.clear()
        self.server.extensions.clear()
        for line in self.lines:
            line.heal()
        for disk in self.disks:
            disk.empty()
        self.cluster.thaw()
        self.cluster.start()
        self.redis.heal()
        self._overhear()
        for role, start in (("web", self.web), ("worker", self.worker), ("clock", self.clock)):
            running = self.running(role)
            for process in running:
                process.thaw()
            if not running:
                start()

    def _overhear(self) -> None:
        """A log of every word that Redis is told."""
        if self._listener is None or not self._listener.is_alive():
            command = ["redis-cli", "-p", str(self.redis.port), "MONITOR"]
            self._listener = Process(command, self.folder / f"redis-{self._number}.log").wait_for("OK")
            self._number += 1

    def built_as(self, design: str) -> None:
        """Every process anew, with that design."""
        self.design = design
        for process in [process for role in self.processes.values() for process in role]:
            process.kill()
        self.heal()

    def end_all(self, *roles: str) -> None:
        for role in roles:
            for process in self.running(role):
                process.kill()

    def only_one_of_each(self) -> None:
        """What a fault started besides goes again."""
        for role in self.processes:
            for process in self.running(role)[1:]:
                process.kill()

    def end(self) -> None:
        for process in [process for role in self.processes.values() for process in role]:
            process.kill()
        if self._listener:
            self._listener.kill()
        for line in self.lines:
            line.end()
        self.redis.kill()
        self.cluster.end()
        for disk in self.disks:
            disk.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_killed_at(self, name: str, seconds: float = 60) -> int:
        wait_until(lambda: self.points.reached_by(name) is not None, seconds, lambda: f"nobody came to {name!r}")
        return self.points.reached_by(name) or 0
