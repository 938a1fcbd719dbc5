"""A PostgreSQL cluster of the suite's own, to be killed, frozen and starved."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.portal_process import free_port


def _program(name: str) -> str:
    found = shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
    assert found, f"the fault suite needs PostgreSQL's {name}"
    return found


def _as_its_user(command: list[str]) -> list[str]:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", *command]


class Cluster:
    """Durable as in production: fsync and synchronous_commit are on."""

    def __init__(self, folder: Path, *, connections: int = 60) -> None:
        self.folder, self.port = folder, free_port()
        self._connections = connections
        self._process: subprocess.Popen | None = None
        self.clock: tuple[str, ...] = ()  # a command in front that shows it another time
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self.data = folder / "data"
        initdb = [_program("initdb"), "-D", str(self.data), "-U", "faults", "--auth", "trust"]
        self._run([*initdb, "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
        self.start()
        self._run([_program("createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "faults", "portal"])

    @property
    def url(self) -> str:
        return f"postgres://faults@127.0.0.1:{self.port}/portal"

    def start(self) -> None:
        """Anew, or not at all if it runs."""
        if self._process and self._process.poll() is None:
            return
        options = ["-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        sizes = ["-c", f"max_connections={self._connections}", "-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_its_user([*self.clock, _program("postgres"), *options, *sizes, "-c", "restart_after_crash=on"]),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self, seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while not self.is_ready():
            assert time.monotonic() < ends, "PostgreSQL does not come up"
            time.sleep(0.1)

    def is_ready(self) -> bool:
        command = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"]
        return subprocess.run(command, check=False).returncode == 0

    def stop_immediately(self) -> None:
        """`pg_ctl -m immediate`: as after a power cut; what it committed is in its log."""
        self._run([_program("pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"])
        if self._process:
            self._process.wait(30)

    def freeze(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _pids(self) -> list[int]:
        """The postmaster first, so that it starts nobody new meanwhile."""
        if self._process is None or self._process.poll() is not None:
            return []
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def end(self) -> None:
        self.thaw()
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)

    def _run(self, command: list[str]) -> None:
        subprocess.run(_as_its_user(command), check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
