"""What every row of the table stands on: databases, the portal and the floor behind gunicorn, people's cookies."""

import contextlib
import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .browser import Browser
from .databases import Databases
from .server import ROOT, WORKERS, Server

PORTAL, FLOOR = "securemsg.wsgi", "benchmarks.floor.wsgi"
SMALL_COPIES = 1_000


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    requests: int  # a round, of each side
    messages: int  # of the owner of the large mailbox
    searched: int
    copies: int  # in the largest table
    large_mib: int
    mails: int  # in the backlog of notifications


@dataclass
class Bench:
    size: Size
    scratch: Path
    databases: Databases
    environment: dict[str, str]  # the portal's
    portal: Server
    floor: Server
    cookies: dict[str, str]
    floor_cookies: str
    reader: dict[str, str]  # ids of a few copies in the large mailbox
    searcher: dict[str, str]

    def browser(self, who: str) -> Browser:
        """Somebody's browser, at the portal."""
        return Browser(self.portal.port, self.cookies[who])

    def browsers(self, who: str, server: Server | None = None) -> Iterator[Browser]:
        """A connection to each worker, in turn."""
        return _in_turn(server or self.portal, self.cookies[who])

    def floor_browsers(self) -> Iterator[Browser]:
        return _in_turn(self.floor, self.floor_cookies)

    def run(self, module: str, *arguments: object, database: str = "main") -> Any:
        """What a module of the benchmark prints as JSON, run with the portal's settings on one of the databases."""
        environment = self.environment | {"DATABASE_URL": self.databases.url_of(database)}
        return json.loads(_run(environment, module, *arguments))

    def serve(self, database: str) -> Server:
        """Another portal, on another of the databases."""
        environment = self.environment | {"DATABASE_URL": self.databases.url_of(database)}
        return Server(database, PORTAL, environment, self.scratch / f"{database}.log")


def _in_turn(server: Server, cookies: str) -> Iterator[Browser]:
    """Which worker takes a connection is chance, and one worker that has them all answers up to a tenth quicker than
    two in turn, for as long as they are kept. So each side has one to each."""
    kept: dict[int, Browser] = {}
    for _ in range(100):
        browser = Browser(server.port, cookies)
        kept.setdefault(server.worker_of(lambda: browser.get("/")), browser)  # noqa: B023  called at once
        if len(kept) == WORKERS:
            return itertools.cycle(kept.values())
    raise SystemExit(f"{server.name}: a worker takes no connections.")


def _run(environment: dict[str, str], module: str, *arguments: object) -> str:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


@contextmanager
def prepared(size: Size, database_url: str, broker_url: str) -> Iterator[Bench]:
    """Everything made, and gone at the end."""
    with contextlib.ExitStack() as stack:
        scratch = Path(tempfile.mkdtemp(prefix="securemsg-benchmark-"))
        stack.callback(shutil.rmtree, scratch)
        databases = Databases(database_url)
        environment = _environment(scratch, broker_url)
        for name in ("start", "main", "floor"):
            stack.callback(databases.drop, name)
        say(f"the portal's data: {size.messages:,} messages in one mailbox, {size.searched:,} of 4 kB in another")
        _run(environment | {"DATABASE_URL": databases.url}, "manage", "collectstatic", "--noinput", "--verbosity", "0")
        cookies = _start(databases, environment)
        main = environment | {"DATABASE_URL": databases.create("main", like="start")}
        reader = _mailbox(main, "reader", size.messages, 240, size.messages // 1000)
        searcher = _mailbox(main, "searcher", size.searched, 4096, 0)
        floor = _floor_environment(scratch, databases.create("floor"))
        floor_cookies = _run(floor, "benchmarks.floor.prepare", size.messages)
        yield Bench(
            size,
            scratch,
            databases,
            environment,
            stack.enter_context(Server("the portal", PORTAL, main, scratch / "portal.log")),
            stack.enter_context(Server("the floor", FLOOR, floor, scratch / "floor.log")),
            cookies,
            floor_cookies,
            reader,
            searcher,
        )


def _start(databases: Databases, environment: dict[str, str]) -> dict[str, str]:
    """The database that others are copies of: people, and one of them with a small mailbox; returns their cookies."""
    start = environment | {"DATABASE_URL": databases.create("start")}
    cookies = json.loads(_run(start, "benchmarks.mailboxes", "people"))
    _mailbox(start, "small", SMALL_COPIES, 240, 1)
    return cookies


def _mailbox(environment: dict[str, str], whose: str, count: int, body_bytes: int, unread: int) -> dict[str, str]:
    return json.loads(_run(environment, "benchmarks.mailboxes", whose, count, body_bytes, unread))


def _environment(scratch: Path, broker_url: str) -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "MASTER_KEYS": f"benchmark:{b64encode(secrets.token_bytes(32)).decode()}",
        "BASE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
        "BROKER_URL": broker_url,
        "SMTP_URL": "smtp://127.0.0.1:1",  # nothing leaves: no worker runs
        "ATTACHMENTS_DIR": str(scratch / "attachments"),
        "LOG_LEVEL": "WARNING",
    }


def _floor_environment(scratch: Path, database_url: str) -> dict[str, str]:
    return {"FLOOR_DATABASE_URL": database_url, "FLOOR_FILE": str(scratch / "floor.bin")}


def say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)
