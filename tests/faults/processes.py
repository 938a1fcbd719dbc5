"""Real processes to be killed: Redis, Celery workers, the clock."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from tests.portal_process import ROOT, free_port


class Process:
    """A command in a process group of its own, so that it can be killed with all its children at once."""

    def __init__(
        self, command: list[str], log: Path, environment: dict[str, str] | None = None, *, folder: Path = ROOT
    ) -> None:
        self.log = log
        self._end_is_expected = False
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def signal(self, number: int) -> None:
        """To the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def signal_leader(self, number: int) -> None:
        """To the process alone."""
        self._popen.send_signal(number)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def ended_by_itself(self) -> bool:
        """True once: whoever asks again knows."""
        by_itself = not self.is_alive() and not self._end_is_expected
        self._end_is_expected |= by_itself
        return by_itself

    def children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        self._end_is_expected |= self.is_alive()
        self.signal(signal.SIGKILL)
        self._popen.wait(10)

    def terminate(self) -> int:
        """SIGTERM to the process alone, as an init system does; the exit code."""
        self._end_is_expected = True
        self._popen.terminate()
        return self._popen.wait(60)

    def wait_for(self, words: str, seconds: float = 30) -> "Process":
        wait_until(lambda: words in self.log.read_text(), seconds, lambda: self.log.read_text()[-3000:])
        return self


def wait_until(reached: Callable[[], bool], seconds: float, explain: Callable[[], object] = str) -> None:
    ends = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < ends, f"not within {seconds} s: {explain()}"
        time.sleep(0.05)


class Redis:
    """A server of the test's own, that keeps nothing when it goes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "the fault tests need redis-server"
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        log = self.folder / "redis.log"
        log.write_text("")
        self.process = Process(command, log).wait_for("Ready to accept connections")

    def kill(self) -> None:
        self.process.kill()

    def say(self, *words: str) -> str:
        """What redis-cli answers."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout

    def heal(self) -> None:
        """Running, with its usual settings; whatever it held."""
        if not self.process.is_alive():
            self.start()
        self.process.thaw()
        self.say("CONFIG", "SET", "maxmemory", "0")


class Crew:
    """Starts workers and clocks against the test's database, Redis and mail server."""

    application = "securemsg"

    def __init__(self, folder: Path, redis: Redis, smtp_port: int) -> None:
        self.folder = folder
        self.started: list[Process] = []
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "securemsg.settings",
            "DATABASE_URL": database_url(),
            "BROKER_URL": redis.url,
            "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
            "SECRET_KEY": settings.SECRET_KEY,
            "MASTER_KEYS": settings.MASTER_KEYS,
            "LOG_LEVEL": "INFO",
        }

    def worker(self, concurrency: int = 4) -> Process:
        name = f"worker{len(self.started)}"
        options = ["worker", "-c", str(concurrency), "-n", f"{name}@localhost", "--without-gossip", "--without-mingle"]
        return self._start(name, options).wait_for("ready.")

    def clock(self) -> Process:
        name = f"clock{len(self.started)}"
        return self._start(name, ["beat", "-s", str(self.folder / name)]).wait_for("is starting.")

    def _start(self, name: str, options: list[str]) -> Process:
        return self._run(name, ["celery", "-A", self.application, *options, "-l", "INFO"])

    def _run(self, name: str, module: list[str]) -> Process:
        process = Process([sys.executable, "-m", *module], self.folder / f"{name}.log", self.environment)
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            process.kill()


def database_url() -> str:
    """The test database's, as another process can reach it."""
    place = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(place['NAME']))}"
    user = f"{quote(place['USER'])}:{quote(place['PASSWORD'])}" if place["PASSWORD"] else quote(place["USER"])
    return f"postgres://{user}@{quote(place['HOST'])}:{place['PORT']}/{place['NAME']}"
