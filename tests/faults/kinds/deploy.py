"""F13: a new release rolls in under load: new processes beside the old ones, then the old ones told to stop."""

import signal
import subprocess
import sys
import threading
import time

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
