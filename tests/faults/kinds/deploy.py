"""F13: a new release rolls in under load: new processes beside the old ones, then the old ones told to stop."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.portal_process import ROOT

from ..run import Run
from . import fault


@fault("F13", "rolling restart of everything under load", short=True)
def rolling_restart(run: Run) -> None:
    """Nothing is even in doubt, and every request is answered, none with an error."""
    run.record.doubts = 0
    run.server.script["DOT"] = lambda _argument: time.sleep(0.03)
    over = threading.Event()
    browsers = [run.logged_in("sender@north.example") for _ in range(2)]

    def send_on(browser) -> None:
        while not over.wait(0.1):
            run.send(run.written([f"r{run.random.randrange(20)}@outside.example" for _ in range(1)]), browser)

    threads = [threading.Thread(target=send_on, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=run.stage.environment, check=True, timeout=120)
        old = [run.stage.running("worker")[0], run.stage.running("clock")[0]]
        run.stage.worker()
        run.stage.clock()
        for process in old:
            if process.terminate() != 0:
                run.record.wrong.append("a process that was told to stop did not end well")
        run.stage.running("web")[0].signal_leader(signal.SIGHUP)
        time.sleep(4)
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    if not all(letter.acknowledged for letter in run.record.letters):
        run.record.wrong.append("not every letter was acknowledged")
    run.settle()


@fault("F13", "the release before, on this one's database, and then beside this one", needs="git tar")
def release_before(run: Run) -> None:
    """A release migrates first and replaces processes afterwards: for that while, code from before the newest migration
    runs on the database from after it. Nothing of that may fail, nor be lost when the new processes take over."""
    stage = run.stage
    stage.end_all("web", "worker", "clock")
    run.server.script["DOT"] = lambda _argument: time.sleep(0.03)
    stage.release = _release_before(stage.folder / "release")
    try:
        stage.web()
        stage.worker()
        stage.clock()
        run.wait(lambda: run.browser().get("/").status == 200, 30)
        run.record.answers.clear()  # of the time when no web process listened
        letters = [run.sent(12, size=20_000), run.sent(12, size=20_000)]
        stage.release = ROOT
        stage.worker()
        letters.append(run.sent(30, size=20_000))
        run.recall(letters[1])
        run.settle()
        if run.sender.get(f"/messages/{run.sent_entry(letters[0]).id}/body/").status != 200:
            run.record.wrong.append("what was sent cannot be read")
    finally:
        stage.release = ROOT
        stage.end_all("web", "worker", "clock")


def _release_before(folder: Path) -> Path:
    """The code as it stood before the newest migration came."""
    newest = ["git", "log", "-1", "--diff-filter=A", "--format=%H", "--", "*/migrations/0*.py"]
    commit = subprocess.run(newest, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    assert commit, "this needs the repository's history"
    folder.mkdir(exist_ok=True)
    archive = subprocess.run(["git", "archive", f"{commit}~"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder
