"""F6, F19: a disk that is full or broken. What cannot be kept is refused in words, and nothing half of it stays."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..recorder import Letter
from ..run import Run
from ..stage import CONCURRENCY
from . import fault


def _refused(run: Run, letter: Letter) -> bool:
    """Sent once while the disk is as it is; whether the answer was no, in words."""
    run.send(letter)
    answer = run.record.answers[-1]
    if letter.acknowledged:
        return False
    if answer.status == 302:  # to the draft, which says what was not kept
        page = run.sender.get(answer.location)
        if "could not be stored" not in page.body:
            run.record.wrong.append("a file was not kept, and the page does not say so")
    elif answer.status != 503:
        run.record.wrong.append(f"answered {answer.status}")
    return True


@fault("F6", "the disk of attachments is full", short=True, needs="root")
def attachments_full(run: Run) -> None:
    _ = run.sender
    run.sent(2)
    letter, small = run.letter(2, size=3_000_000), run.letter(2, size=0)
    run.stage.disks[1].fill()
    if not _refused(run, letter):
        run.record.wrong.append("a file was acknowledged for which there was no room")
    assert run.send(small), "a message without files needs none of that disk"
    run.stage.disks[1].empty()
    assert run.send(letter), "not sent with room again"


@fault("F6", "the database's disk is full", short=True, needs="root")
def database_full(run: Run) -> None:
    """Until a page says no; then there is room again, the server is started if it went down, and all is well."""
    run.record.degraded = True
    run.record.doubts = CONCURRENCY
    _ = run.sender
    letters = [run.written([f"r{number}@outside.example"]) for number in range(60)]
    for letter in letters:
        letter.body += " long" * 20_000
    run.stage.disks[0].fill()
    refused = any(_refused(run, letter) for letter in letters)
    if not refused:
        run.record.wrong.append("nothing was refused on a full disk")
    run.stage.disks[0].empty()
    run.stage.cluster.start()
    run.stage.cluster.wait()
    time.sleep(1)
    run.wait(lambda: run.sender.get("/inbox/").status == 200, 30)
    for letter in letters:
        if not letter.acknowledged:
            assert run.send(letter), "not sent with room again"


@fault("F6", "the disk of temporary files is full", short=True, needs="root")
def tmp_full(run: Run) -> None:
    """Uploads are sealed on their way to their own disk; nothing waits in a temporary file."""
    _ = run.sender
    run.stage.disks[2].fill()
    letter = run.sent(4, size=3_000_000)
    run.settle()
    page = run.sender.get(f"/messages/{run.sent_entry(letter).id}/")
    if page.status != 200:
        run.record.wrong.append(f"the message's page answered {page.status}")


@contextmanager
def _calls_that_fail(run: Run, calls: str, error: str) -> Iterator[None]:
    """strace answers these system calls of the web workers with an error, in place of the kernel."""
    pids = [option for pid in run.stage.running("web")[0].children() for option in ("-p", str(pid))]
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]
    tracer = subprocess.Popen([*command, *pids], stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        yield
    finally:
        tracer.terminate()
        tracer.wait(10)


@fault("F19", "fsync of a file fails", needs="root strace", short=True, calls="fsync", error="EIO")
@fault("F19", "writing a file fails", needs="root strace", calls="write", error="EIO")
@fault("F19", "writing a file finds no room", needs="root strace", calls="write", error="ENOSPC")
@fault("F19", "a file cannot be put in its place", needs="root strace", calls="rename", error="EIO")
def calls_fail(run: Run, calls: str, error: str) -> None:
    run.sent(2)
    letter = run.letter(2)
    with _calls_that_fail(run, calls, error):
        if not _refused(run, letter):
            run.record.wrong.append("a file was acknowledged that no disk has")
    assert run.send(letter), "not sent with the disk well again"
