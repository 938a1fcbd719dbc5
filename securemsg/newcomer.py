"""`make run`: the whole portal in one process, for trying it on one machine.

Web server, Celery worker and clock, and a mail catcher, as threads; SQLite, sealed attachments, caught mail and the
secrets in one folder (`var/`). Everything listens on loopback only, and what is set here wins over the environment:
this process is not the way to serve anybody else, and cannot reach a real database or mail server by accident.
"""

import argparse
import fcntl
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from portal.new_master_key import new_master_key

from .kept import kept_secret, write_private
from .mail_catcher import LOOPBACK, Catcher, LoopbackSMTP, start_page

ROOT = Path(__file__).resolve().parent.parent
# How long each part gets to end by itself. Whatever is cut short is found again on the next start.
GRACE_SECONDS = 5


class CannotStart(Exception):
    """Said to the person at the keyboard, without a traceback."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m securemsg.newcomer", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "var", help="where everything is kept")
    folder: Path = parser.parse_args().folder.resolve()
    for number in (signal.SIGINT, signal.SIGTERM):
        # SIGINT too: a shell starts what runs in the background with that ignored.
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as running:
            _start(folder, _port(), running)
            threading.Event().wait()
    except CannotStart as error:
        print(f"securemsg cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("securemsg has stopped. Everything is kept for the next start.", flush=True)
    return 0


def _start(folder: Path, port: int, running: ExitStack) -> None:
    """Bring everything up, each part with its end pushed on the stack, and say so."""
    (folder / "mail").mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    running.callback(_second_interrupt_ends_at_once)
    running.enter_context(_only_process_in(folder))
    web = running.enter_context(_bound(port))
    catcher = running.enter_context(_mail_catcher(folder / "mail"))
    page = running.enter_context(_serving(start_page(folder / "mail", port + 25)))
    os.environ.update(_environment(folder, port, catcher.port))
    said = _prepare(folder, port, page.server_address[1])
    running.enter_context(_clock_and_worker())
    running.enter_context(_web(web))
    print(said, flush=True)


def _second_interrupt_ends_at_once() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _port() -> int:
    text = os.environ.get("PORT", "") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number between 1 and 65535, not {text!r}.")
    return int(text)


@contextmanager
def _only_process_in(folder: Path) -> Iterator[IO[str]]:
    """Two processes in one folder would mail links to two addresses."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"it is running already: another process is using {folder}.") from None
        yield lock


@contextmanager
def _bound(port: int) -> Iterator[ThreadedWSGIServer]:
    """The web server's socket, taken before anything else is done."""
    try:
        server = ThreadedWSGIServer((LOOPBACK, port), _QuietHandler)
    except OSError as error:
        raise CannotStart(
            f"port {port} of {LOOPBACK} cannot be used ({error.strerror}). Choose another: PORT={port + 1} make run"
        ) from None
    with server:
        yield server


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        pass


@contextmanager
def _mail_catcher(folder: Path) -> Iterator[LoopbackSMTP]:
    catcher = LoopbackSMTP(Catcher(folder))
    catcher.start()
    yield catcher
    catcher.stop()


def _environment(folder: Path, port: int, smtp_port: int) -> dict[str, str]:
    """Every variable that settings.py reads. LOG_LEVEL alone is the caller's."""
    kept_secret(folder / "master.keys", lambda: f"{new_master_key()}\n")
    return {
        "DJANGO_SETTINGS_MODULE": "securemsg.settings",
        "SECRET_KEY": kept_secret(folder / "secret.key", lambda: secrets.token_urlsafe(64)),
        "MASTER_KEYS": "",
        "MASTER_KEYS_FILE": str(folder / "master.keys"),
        "BASE_URL": f"http://{LOOPBACK}:{port}",
        "ALLOWED_HOSTS": f"{LOOPBACK},localhost",
        "TRUSTED_PROXIES": "0",
        "DATABASE_URL": f"sqlite:///{quote(str(folder / 'securemsg.sqlite3'))}",
        "BROKER_URL": "memory://localhost",
        "ATTACHMENTS_DIR": str(folder / "attachments"),
        "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "SMTP_URL": f"smtp://{LOOPBACK}:{smtp_port}",
        "BOUNCE_DOMAIN": "",
        "MAIL_ROUTES": "0",  # whatever somebody tries in the console: mail of this process reaches nobody
        "MAIL_FROM": "Secure Messaging <no-reply@portal.example>",
        "LOG_FORMAT": "plain",
        "METRICS_TOKEN": "",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def _prepare(folder: Path, port: int, mail_port: int) -> str:
    """Database, organisation and people; returns what to tell the newcomer, which `demo.json` says too."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)

    from . import demo

    organization, people = demo.prepare(folder)
    url = f"http://{LOOPBACK}:{port}/"
    told = {
        "url": url,
        "login_url": f"{url}p/{organization.slug}/",
        "mail_url": f"http://{LOOPBACK}:{mail_port}/",
        "organization": organization.slug,
        "people": demo.as_json(people),
    }
    write_private(folder / "demo.json", json.dumps(told, indent=2) + "\n")
    rows = "\n".join(f"  {person.role:14} {person.email:27} {person.password}" for person in people)
    return f"""securemsg is ready at {url}

Log in at {told["login_url"]} as
{rows}

Mail it sends is caught, and shown at {told["mail_url"]}
The same is written in {folder / "demo.json"}; Ctrl-C ends everything, the next start finds it again.

This is for trying it out: it serves this machine only and its mail reaches nobody. To run it for real, set
SECRET_KEY, MASTER_KEYS_FILE, BASE_URL, DATABASE_URL, BROKER_URL, SMTP_URL and ATTACHMENTS_DIR (.env.example
explains each) and start web, worker and clock as README.md shows."""


@contextmanager
def _clock_and_worker() -> Iterator[None]:
    """Celery's two halves, as threads. Its own commands would fork, and take over signals and logs."""
    from celery import beat
    from celery.worker import WorkController, state

    from .celery import app

    worker = WorkController(
        app=app,
        hostname="newcomer@localhost",
        pool="threads",
        concurrency=2,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    # The plain scheduler keeps nothing on disk; an interval of a second lets the clock notice that it is to stop.
    clock = beat.Service(app, scheduler_cls=beat.Scheduler, max_interval=1)
    threads = [_thread("worker", worker.start), _thread("clock", clock.start)]
    yield
    clock.stop()
    state.should_stop = os.EX_OK  # what the worker's own signal handler would do
    for thread in threads:
        thread.join(GRACE_SECONDS)


@contextmanager
def _web(server: ThreadedWSGIServer) -> Iterator[None]:
    from .wsgi import application

    server.set_app(_reading_to_the_end(application))
    with _serving(server):
        _thread("web", server.serve_forever)
        yield


def _reading_to_the_end(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Read what the portal refused to, piece by piece: the server would do so at one go, a gigabyte into memory."""

    def read_to_the_end(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = application(environ, start_response)
        while environ["wsgi.input"].read(65536):
            pass
        return answer

    return read_to_the_end


@contextmanager
def _serving(server: Any) -> Iterator[Any]:
    yield server
    server.shutdown()
    server.server_close()


def _thread(name: str, target: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Not sys.exit: it would wait for a delivery that outlasts its grace. The outbox takes that up on the next start.
    os._exit(status)
