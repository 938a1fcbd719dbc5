"""gunicorn with two workers, as README.md starts it, and what its workers have used."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@dataclass
class Server:
    """One application behind gunicorn; `with` it."""

    name: str
    application: str
    environment: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen | None = None

    def __enter__(self) -> "Server":
        options = ["--config", "deploy/gunicorn.conf.py", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{self.port}"]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, self.application],
                cwd=ROOT,
                env=os.environ | self.environment | {"BASE_URL": f"http://127.0.0.1:{self.port}"},
                stdout=log,
                stderr=log,
            )
        self._wait()
        return self

    def _wait(self) -> None:
        for _ in range(150):
            if self.log.read_text().count("Booting worker") == WORKERS:
                time.sleep(1)  # until they have loaded the application
                return
            time.sleep(0.2)
        raise SystemExit(f"{self.name} did not start:\n{self.log.read_text()}")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)

    @property
    def workers(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def cpu_seconds(self) -> float:
        """Processor time of the workers so far, by the scheduler's account: user and system, all threads that are
        there (they stay)."""
        return sum(_cpu_seconds(pid) for pid in self.workers)

    def worker_of(self, request: Callable[[], object]) -> int:
        """The process that works on this request."""
        before = {pid: _cpu_seconds(pid) for pid in self.workers}
        request()
        return max(before, key=lambda pid: _cpu_seconds(pid) - before[pid])

    def memory(self) -> "Memory":
        return Memory(self.workers)


def _cpu_seconds(pid: int) -> float:
    # Nanoseconds; what proc(5) has in /proc/PID/stat are hundredths of a second, two requests' worth.
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Memory:
    """How much more memory a worker holds at its peak than when this began; bytes, of the one that grew most."""

    def __init__(self, pids: list[int]) -> None:
        self._before = {}
        for pid in pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew (proc(5))
            self._before[pid] = _status(pid, "VmRSS")

    def growth(self) -> int:
        return max(_status(pid, "VmHWM") - before for pid, before in self._before.items())


def _status(pid: int, name: str) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
