"""The newcomer's process, started as `make run` starts it, for tests that need the whole of it."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
READY = "securemsg is ready at "


def free_port() -> int:
    """One below those that the system gives to outgoing connections: a server that is started there later, and perhaps
    once more, still finds it free."""
    while True:
        port = random.randrange(10_000, 32_768)  # noqa: S311  nothing secret about it
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "securemsg.newcomer", "--folder", str(folder)]


def environment(port: int) -> dict[str, str]:
    return os.environ | {"PORT": str(port)}


class PortalProcess:
    """What it printed, what it wrote down, and its end."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            command(folder),
            cwd=ROOT,
            env=environment(port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip("\n"))
            if READY in line:
                self._ready.set()
        self._ready.set()

    def wait_until_ready(self) -> dict[str, Any]:
        """The contents of demo.json, once the process says that it is ready."""
        self._ready.wait(60)
        assert any(READY in line for line in self.said), "\n".join(self.said)
        return json.loads((self.folder / "demo.json").read_text())

    def mails(self) -> list[Path]:
        return sorted((self.folder / "mail").glob("*.eml"))

    def interrupt(self, signal_number: int = signal.SIGINT) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal_number)
        try:
            code = self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        self._reader.join(5)
        return code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[PortalProcess]:
    """A portal that is ready, and gone when the block ends."""
    process = PortalProcess(folder, port or free_port())
    try:
        process.wait_until_ready()
        yield process
    finally:
        if process._process.poll() is None:
            process.interrupt()
