"""A large file passes through the portal in constant memory, and no disk sees it in the clear.

MEMORY_TEST_MIB sets how large; 256 MiB unless said. The time a file takes grows with its size, the memory does not.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import steps
from tests.conftest import PASSWORD
from tests.portal_process import running

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

MIB = 1024 * 1024
SIZE = int(os.environ.get("MEMORY_TEST_MIB", "256")) * MIB
SECONDS = 600
ALLOWED_GROWTH = 16 * MIB
WORD = b"canary-of-the-large-file"


@dataclass
class Served:
    """A portal, the processes that serve its pages, and the folders it may write to."""

    login_url: str
    sender: str
    password: str
    known: str  # somebody they have written to
    processes: list[int]
    folders: list[Path]


@pytest.fixture
def newcomer(browser, tmp_path) -> Iterator[Served]:
    with _own_temporary_folder(tmp_path), running(tmp_path / "var") as portal:
        told = portal.wait_until_ready()
        sender = next(person for person in told["people"] if person["role"] == "sender")
        pid = portal._process.pid
        yield Served(
            told["login_url"], sender["email"], sender["password"], "recipient@outside.example", [pid], [tmp_path]
        )


@pytest.fixture
def gunicorn(browser, tmp_path, settings, sender, recipient, request) -> Iterator[Served]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    sender.set_password(PASSWORD)
    sender.save()
    with _own_temporary_folder(tmp_path):
        installation = request.getfixturevalue("installation")
    pids = [int(pid) for pid in _children(installation.started[0]._popen.pid)]
    folders = [tmp_path, Path(settings.ATTACHMENTS_DIR)]
    yield Served(f"{installation.url}/p/north/", sender.address, PASSWORD, recipient.address, pids, folders)


@contextmanager
def _own_temporary_folder(tmp_path: Path) -> Iterator[None]:
    """What the process might spool would land here, and be seen."""
    with pytest.MonkeyPatch.context() as patch:
        (tmp_path / "tmp").mkdir()
        patch.setenv("TMPDIR", str(tmp_path / "tmp"))
        yield


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@dataclass
class Watch:
    """The peak of each process's memory above what it held at first, and whatever it has on a disk in the clear."""

    served: Served
    found: set[str] = field(default_factory=set)
    grown: int = 0

    @contextmanager
    def closely(self) -> Iterator[None]:
        before = {}
        for pid in self.served.processes:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
            before[pid] = _memory(pid, "VmRSS")
        over = threading.Event()
        thread = threading.Thread(target=self._look_until, args=[over])
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        self.grown = max(_memory(pid, "VmHWM") - before[pid] for pid in before)

    def _look_until(self, over: threading.Event) -> None:
        while not over.wait(0.1):
            self.look()

    def look(self) -> None:
        files = [path for folder in self.served.folders for path in folder.rglob("*") if path.is_file()]
        # Those that have no name any more, too.
        files += [path for pid in self.served.processes for path in Path(f"/proc/{pid}/fd").iterdir()]
        self.found.update(str(path) for path in files if _is_in_the_clear(path))


def _memory(pid: int, name: str) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _is_in_the_clear(path: Path) -> bool:
    """Whether it begins or ends with a megabyte of the file: it says the word every 32 bytes."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(MIB)
            file.seek(max(0, path.stat().st_size - MIB))
            return WORD in start or WORD in file.read(MIB)
    except OSError:
        return False  # gone meanwhile


def _file(folder: Path, size: int) -> Path:
    path = folder / f"large-{size}.bin"
    piece = WORD.ljust(32, b".") * (MIB // 32)
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(piece)
    return path


def _up_and_down(page: Page, file: Path, watch: Watch) -> dict[str, int]:
    assert _is_in_the_clear(file), "so it would be seen"
    grown, size = {}, file.stat().st_size
    steps.write(page, to=watch.served.known, subject=f"{size} bytes", body="Large")
    with watch.closely():
        steps.attach(page, file, seconds=SECONDS)
    grown["up"] = watch.grown
    steps.send(page)
    steps.open_message(page, "Sent Items", f"{size} bytes")
    with watch.closely():
        assert steps.digest_of_download(page, file.name, seconds=SECONDS) == steps.digest(file)
    grown["down"] = watch.grown
    return grown


@pytest.mark.parametrize("way", ["newcomer", "gunicorn"])
def test_memory_does_not_grow_with_the_file(way, request, window):
    served = request.getfixturevalue(way)
    watch = Watch(served)
    page = window()
    page.goto(served.login_url)
    steps.log_in(page, served.sender, served.password)
    with tempfile.TemporaryDirectory() as folder:
        _up_and_down(page, _file(Path(folder), MIB), watch)
        grown = _up_and_down(page, _file(Path(folder), SIZE), watch)
    print(f"{way}, {SIZE // MIB} MiB: {grown}")
    assert max(grown.values()) <= ALLOWED_GROWTH, grown
    assert watch.found == set()
