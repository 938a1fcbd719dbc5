"""Moments in the code at which a process of the suite dies, or stands still, when it is told to.

A failpoint is planted from outside, around a function of the portal or of smtplib, by the suite's own entry points
(worker.py, web.py); the portal's code knows nothing of it. It is armed by a file in a folder that both sides share:
whoever takes the file away is the one it happens to, so it happens once, in whichever process gets there first.
"""

import functools
import os
import signal
import smtplib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILL, STOP, WAIT = "kill", "stop", "wait"

# A mail's way, in order; then what destroys and what re-wraps; then a web request.
BARRIER = "about to claim"
MAIL = ("claimed", "before connect", "after RCPT", "mid DATA", "after the dot", "after 250", "after sent")
PURGE = ("purge: keys gone", "purge: rows of files going", "purge: files left over", "purge: emptying")
KEYS = ("key destroy: before commit", "key destroy: between two", "re-wrap: before commit", "re-wrap: between two")
WEB = ("send: before commit", "send: after commit")


class Failpoints:
    """The shared folder, as seen by the suite (arm, reached_by) and by the process under test (reached)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def arm(self, name: str, action: str = KILL) -> None:
        assert name in (BARRIER, *MAIL, *PURGE, *KEYS, *WEB), name
        self._reached(name).unlink(missing_ok=True)
        waiting = self.folder / f"{name} being armed"
        waiting.write_text(action)
        waiting.rename(self.folder / name)

    def waiting_at(self, name: str) -> int:
        return len(list(self.folder.glob(f"{name} holds *")))

    def disarm(self) -> None:
        """Nothing happens any more; whoever waits goes on."""
        for file in self.folder.iterdir():
            file.unlink(missing_ok=True)

    def reached_by(self, name: str) -> int | None:
        """The process it happened to; None so far."""
        try:
            return int(self._reached(name).read_text() or 0) or None
        except FileNotFoundError:
            return None

    def _reached(self, name: str) -> Path:
        return self.folder / f"{name} was reached"

    def take(self, name: str) -> str | None:
        """Whether it is to happen, and it has not happened to anybody else."""
        armed = self.folder / name
        try:
            action = armed.read_text()
            armed.unlink()
        except FileNotFoundError:
            return None
        self._reached(name).write_text(str(os.getpid()))
        return action

    def hold(self, name: str) -> None:
        """Wait for as long as it is armed."""
        if (self.folder / name).exists():
            (self.folder / f"{name} holds {os.getpid()}").touch()
        while (self.folder / name).exists():
            time.sleep(0.005)

    def reached(self, name: str) -> None:
        if action := self.take(name):
            os.kill(os.getpid(), signal.SIGSTOP if action == STOP else signal.SIGKILL)


def around(place: Any, name: str, before: Callable[..., None] | None, after: Callable[..., None] | None) -> None:
    """Have something happen around a function where it stands; an AttributeError when it stands there no more."""
    original = getattr(place, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before:
            before(*args, **kwargs)
        result = original(*args, **kwargs)
        if after:
            after(result, *args, **kwargs)
        return result

    setattr(place, name, wrapped)


def plant_in_worker(points: Failpoints) -> None:
    """Needs Django set up. By names that have to stay: a renamed function stops the suite's worker at its start."""
    from messaging import retention, sealed_files
    from portal import audit, claims, smtp, verdicts

    _plant_in_a_mails_way(points, claims, smtp, verdicts)

    def at(name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: points.reached(name)

    around(retention, "_destroy_some_files", at("purge: keys gone"), None)
    around(retention.attachments, "remove_files_on_commit", at("purge: rows of files going"), None)
    around(sealed_files, "remove", at("purge: files left over"), None)
    around(audit, "record_each", at("purge: emptying"), None)

    def recorded(_organization: Any, action: str, **_: Any) -> None:
        if action == "retention_key.destroyed":
            points.reached("key destroy: before commit")

    around(audit, "record", recorded, None)
    around(retention, "_destroy", None, at("key destroy: between two"))


def _plant_in_a_mails_way(points: Failpoints, claims: Any, smtp: Any, verdicts: Any) -> None:
    def claimed(found: Any, *_: Any) -> None:
        if found:
            points.reached("claimed")

    around(claims, "claim", lambda *_: points.hold(BARRIER), claimed)
    around(smtplib.SMTP, "connect", lambda *_args, **_kwargs: points.reached("before connect"), None)
    around(smtp, "_say_envelope", None, lambda *_args, **_kwargs: points.reached("after RCPT"))
    around(verdicts, "written_down", None, lambda *_args, **_kwargs: points.reached("after sent"))
    send, getreply = smtplib.SMTP.send, smtplib.SMTP.getreply

    def sent(smtp: smtplib.SMTP, data: bytes | str) -> None:
        if not (isinstance(data, bytes) and data.endswith(b"\r\n.\r\n")):
            return send(smtp, data)
        if action := points.take("mid DATA"):
            send(smtp, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGSTOP if action == STOP else signal.SIGKILL)
        send(smtp, data)
        smtp.dot_has_left = True  # type: ignore[attr-defined]
        points.reached("after the dot")
        return None

    def answered(smtp: smtplib.SMTP) -> Any:
        reply = getreply(smtp)
        if smtp.__dict__.pop("dot_has_left", False):
            points.reached("after 250")
        return reply

    smtplib.SMTP.send, smtplib.SMTP.getreply = sent, answered  # type: ignore[assignment]


def plant_in_web(points: Failpoints) -> None:
    from messaging import sending
    from portal import audit

    def recorded(_organization: Any, action: str, **_: Any) -> None:
        if action == "message.sent":
            points.reached("send: before commit")

    around(audit, "record", recorded, None)
    around(sending, "send_draft", None, lambda *_args, **_kwargs: points.reached("send: after commit"))


def plant_in_rotation(points: Failpoints) -> None:
    from portal import rotation

    around(rotation, "_rewrap", None, lambda *_args, **_kwargs: points.reached("re-wrap: between two"))
    around(rotation, "_store", None, lambda *_args, **_kwargs: points.reached("re-wrap: before commit"))
