"""F1, F17: master keys rotated, the rotation killed in the middle; the key file gone, or short of a key."""

import subprocess
import sys
import threading
import time

from portal import health
from portal.new_master_key import new_master_key
from tests.portal_process import ROOT

from ..client import Answer
from ..failpoints import KEYS
from ..run import Run
from . import fault


def _rotate(run: Run) -> int:
    command = [sys.executable, "-m", "tests.faults.rotate", str(run.stage.points.folder)]
    log = run.stage.folder / "rotation.log"
    with log.open("ab") as output:
        return subprocess.run(
            command, cwd=ROOT, env=run.stage.environment, stdout=output, stderr=output, check=False, timeout=120
        ).returncode


@fault("F1", "killed in the middle of re-wrapping, under load", short=True)
def rewrapping_killed(run: Run) -> None:
    """A new master key takes the first place; people send on; the old one is taken out when nothing needs it."""
    file, old = run.stage.keys, run.stage.keys.read_text()
    _ = run.sender
    run.sent(2, size=1000)
    over = threading.Event()

    def send_on() -> None:
        while not over.wait(0.2):
            run.send(run.letter(2, size=1000))

    thread = threading.Thread(target=send_on)
    thread.start()
    try:
        file.write_text(f"{new_master_key()}\n{old}")
        for point in KEYS[2:]:
            run.stage.points.arm(point)
            if _rotate(run) != -9:
                run.record.wrong.append(f"the rotation was not killed {point!r}")
        if _rotate(run) != 0:
            run.record.wrong.append("the rotation did not come to its end")
        file.write_text(file.read_text().splitlines()[0] + "\n")
        time.sleep(1)
    finally:
        over.set()
        thread.join(60)


def _closed_while(run: Run, text: str | None) -> None:
    """The file changed to the text, or gone: nothing opens, nothing is sealed, every page that needs it says 503, and
    so does /readyz, of the key ring, until the file is back."""
    run.record.degraded = True
    file, kept = run.stage.keys, run.stage.keys.read_text()
    before = run.sent(3)
    run.settle()
    letters = [run.letter(3), run.letter(3)]
    if text is None:
        file.rename(file.with_suffix(".away"))
    else:
        file.write_text(text)
    changed = time.monotonic()
    try:
        for letter in letters:
            run.send(letter)
            if run.record.answers[-1].status != 503:
                run.record.wrong.append(f"sending without keys answered {run.record.answers[-1].status}")
        page = _own_copy(run, before)
        if page.status != 503 or run.word in page.body:
            run.record.wrong.append(f"reading without keys answered {page.status}")
        run.enqueue(3)
        ready = _readiness(run, changed)
        if ready.status != 503 or "key ring" not in ready.body:
            run.record.wrong.append(f"/readyz without keys answered {ready.status}: {ready.body!r}")
    finally:
        file.write_text(kept)
        file.with_suffix(".away").unlink(missing_ok=True)
        changed = time.monotonic()
    for letter in letters:
        assert run.send(letter), "not sent with the keys back"
    ready = _readiness(run, changed)
    if ready.status != 200:
        run.record.wrong.append(f"/readyz with the keys back answered {ready.status}: {ready.body!r}")


def _readiness(run: Run, changed: float) -> Answer:
    """What an alarm reads once no answer from before the change is kept any more."""
    time.sleep(max(0, changed + health.KEPT_SECONDS - time.monotonic()))
    return run.browser().get("/readyz")


def _own_copy(run: Run, letter):
    from messaging.models import MailboxEntry

    entry = MailboxEntry.objects.get(message=letter.id, kind=MailboxEntry.Kind.SENT)
    return run.sender.get(f"/messages/{entry.id}/body/")


@fault("F17", "the key file is gone", short=True)
def file_gone(run: Run) -> None:
    _closed_while(run, None)


@fault("F17", "the key file has other keys, or none")
def other_keys(run: Run) -> None:
    _closed_while(run, "")
    _closed_while(run, "half a line")
    _closed_while(run, new_master_key() + "\n")
