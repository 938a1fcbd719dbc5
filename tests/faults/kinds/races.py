"""F12: people who do things at the same moment as each other and as the worker."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

from ..client import Answer
from ..failpoints import STOP
from ..run import Run
from . import fault


def at_once(actions: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """Each in a thread of its own, let go together."""
    barrier = threading.Barrier(len(actions))
    answers: list[Answer] = []

    def act(action: Callable[[], Answer]) -> None:
        barrier.wait()
        answers.append(action())

    threads = [threading.Thread(target=act, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@fault("F12", "recalled while a worker is about to say DATA", short=True)
def recalled_before_data(run: Run) -> None:
    """Recalled while its notifications are rendered, addressed, and stand before the last word."""
    run.stage.points.arm("after RCPT", STOP)
    letter = run.sent(12)
    pid = run.stage.wait_until_killed_at("after RCPT")
    run.recall(letter)
    os.kill(pid, signal.SIGCONT)
    run.settle()


@fault("F12", "recalled at any moment of its notifications' way")
def recalled_anywhere(run: Run) -> None:
    run.server.script["DOT"] = lambda _argument: time.sleep(0.05)
    letters = [run.sent(30) for _ in range(2)]
    for letter in letters:
        time.sleep(run.random.random())
        run.recall(letter)
    run.settle()


@fault("F12", "the same form sent five times at once", short=True)
def sent_five_times(run: Run) -> None:
    letter = run.letter(12, size=0)
    browsers = [run.logged_in("sender@north.example") for _ in range(5)]
    for browser in browsers:
        browser.get("/compose/")

    def send(number: int) -> Callable[[], Answer]:
        def act() -> Answer:
            run.send(letter, browsers[number])
            return run.record.answers[-1]

        return act

    at_once([send(number) for number in range(5)])
    # Whoever came second is told that it has been sent, or saw it as a draft; only one sent it.
    letter.acknowledged, letter.refused = True, False


@fault("F12", "extended five times at once, recalled and read meanwhile")
def extended_and_recalled(run: Run) -> None:
    from datetime import timedelta

    from django.db.models import F
    from django.utils import timezone

    from messaging.models import MailboxEntry, Message

    letter = run.sent(6)
    soon = timezone.now() + timedelta(days=2)
    Message.objects.filter(id=letter.id).update(expires_at=soon)
    entry = MailboxEntry.objects.get(message=letter.id, kind="sent")
    browsers = [run.logged_in("sender@north.example") for _ in range(5)]
    later = (soon + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    def extend(number: int) -> Callable[[], Answer]:
        return lambda: browsers[number].post(f"/messages/{entry.id}/extend/", {"until": later})

    at_once([extend(number) for number in range(5)])
    extended = Message.objects.filter(id=letter.id, expires_at__gt=F("sent_at") + timedelta(days=2, hours=12)).count()
    told = _events(run, "message.expiry_extended", letter.id)
    if extended != 1 or told != 1:
        run.record.wrong.append(f"extended {extended} times, told {told} times")
    reader = run.logged_in(letter.to[1])
    copy = MailboxEntry.objects.get(message=letter.id, kind="received", owner__address=letter.to[1])
    at_once([lambda: reader.get(f"/messages/{copy.id}/"), lambda: _recalled(run, letter)])
    after = reader.get(f"/messages/{copy.id}/")
    if run.word in after.body:
        run.record.wrong.append("read after its recall")


def _recalled(run: Run, letter: object) -> Answer:
    run.recall(letter)  # type: ignore[arg-type]
    return run.record.answers[-1]


def _events(run: Run, action: str, about: object) -> int:
    from portal.models import AuditEvent

    return AuditEvent.objects.filter(organization=run.organization, action=action, about=about).count()


@fault("F12", "a temporary password used five times at once", short=True)
def ticket_used_five_times(run: Run) -> None:
    """Five browsers have typed it and choose a new password; one of them gets in."""
    from accounts import credentials
    from accounts.models import Credential, User

    letter = run.sent(2)
    run.settle()
    person = User.objects.get(organization=run.organization, address=letter.to[0])
    credential = Credential.objects.get(user=person)
    secret = credentials.temporary_password(credential.id)
    path = f"/p/{run.organization.slug}/"
    browsers = [run.browser() for _ in range(5)]
    for browser in browsers:
        browser.log_in(run.organization.slug, person.address, secret)

    def choose(number: int) -> Callable[[], Answer]:
        words = f"seven green bottles number {number}"
        fields = {"address": person.address, "new_password": words, "confirm_password": words}
        return lambda: browsers[number].post(f"{path}password/", fields)

    at_once([choose(number) for number in range(5)])
    run.record.tickets[credential.id] = sum(browser.get("/inbox/").status == 200 for browser in browsers)
    if not run.record.tickets[credential.id]:
        run.record.wrong.append("nobody got in")
