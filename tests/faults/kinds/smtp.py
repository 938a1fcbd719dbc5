"""F7: a mail server in every mood. What each answer means is in portal/smtp.py; here, that it holds for mails on their
way through real workers, and that one bad recipient spoils nothing for the others."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator

from tests.certificates import certificate_for
from tests.smtp_server import CUT, DRIP, SILENCE

from ..run import SENDER, Run
from . import fault

TEMPORARY = ("421 4.3.2 not now", "450 4.2.0 not now", "451 4.3.0 not now", "452 4.2.2 no room")
VERBS = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT")
TOLD_WITHIN = 60


def _first(count: int, action: str | Callable[[str], str | None]) -> Callable[[str], str | None]:
    """That for the first ones, the usual answer from then on."""
    numbers: Iterator[int] = itertools.count()

    def answer(argument: str) -> str | None:
        if next(numbers) >= count:
            return None
        return action(argument) if callable(action) else action

    return answer


@fault("F7", "421, 450, 451, 452 at MAIL, RCPT, DATA and the dot", short=True, verbs=VERBS[2:])
@fault("F7", "421, 450, 451, 452 for a greeting and at EHLO", verbs=VERBS[:2])
def temporary(run: Run, verbs: tuple[str, ...]) -> None:
    """Each once at each; nothing is given up, nothing comes twice."""
    for verb in verbs:
        answers = iter(TEMPORARY)
        run.server.script[verb] = lambda _argument, answers=answers: next(answers, None)
    run.sent(12)
    run.settle()


@fault("F7", "550, 554 for one of twelve recipients; its sender is told", short=True, verb="RCPT", reply="550 5.1.1 no")
@fault("F7", "554 after the dot for one of twelve recipients", verb="DOT", reply="554 5.7.1 no")
@fault("F7", "552 after the dot for one of twelve recipients", verb="DOT", reply="552 5.3.4 too big")
def one_refused(run: Run, verb: str, reply: str) -> None:
    letter = run.letter(12)
    bad = letter.to[5]
    run.server.script[verb] = lambda argument: reply if bad in argument else None
    run.record.may_fail = {bad}
    assert run.send(letter)
    began = time.monotonic()
    told = run.rows().filter(kind="notification_failed", to_address=SENDER, state="sent")
    run.wait(told.exists, TOLD_WITHIN)
    failed = run.rows().get(to_address=bad, kind="notification")
    if failed.state != "failed" or reply not in failed.server_reply:
        run.record.wrong.append(f"{failed.state}: {failed.server_reply}")
    assert time.monotonic() - began < TOLD_WITHIN
    page = run.sender.get(f"/messages/{run.sent_entry(letter).id}/")
    if reply.split(" ", 1)[1] not in page.body:
        run.record.wrong.append("the sender does not see the server's words")


@fault("F7", "550, 554 at MAIL and DATA, each once: final for that mail alone")
def refused_at_other_verbs(run: Run) -> None:
    for verb, reply in (("MAIL", "550 5.7.1 no"), ("DATA", "554 5.5.1 no")):
        run.server.script[verb] = _first(1, reply)
    run.sent(12)
    run.wait(lambda: run.rows().filter(kind="notification_failed", state="sent").count() == 2)
    failed = run.rows().filter(state="failed")
    run.record.may_fail = set(failed.values_list("to_address", flat=True))
    if failed.count() != 2:
        run.record.wrong.append(f"{failed.count()} mails failed")


@fault("F7", "550, 554 for a greeting and at EHLO: about the server, not the mail")
def refused_before_any_mail(run: Run) -> None:
    """Nothing was said of any mail yet: all of them wait."""
    for verb in VERBS[:2]:
        answers = iter(("554 5.3.2 not today", "550 5.3.2 not today"))
        run.server.script[verb] = lambda _argument, answers=answers: next(answers, None)
    run.sent(12)
    run.settle()


@fault("F7", "the line is lost at every verb before the dot")
def cut_before_the_dot(run: Run) -> None:
    for verb in VERBS[:-1]:
        run.server.script[verb] = _first(2, CUT)
    run.sent(12)
    run.settle()


@fault("F7", "the line is lost after the dot", short=True)
def cut_after_the_dot(run: Run) -> None:
    """Perhaps it was taken: once more, the same."""
    run.record.doubts = 3
    run.server.script["DOT"] = _first(3, CUT)
    run.sent(12)
    run.settle()


@fault("F7", "250, and the line is lost with it")
def cut_with_250(run: Run) -> None:
    run.record.doubts = 12

    def soon(_argument: str) -> None:
        threading.Timer(0.002, run.stage.mail_line.cut).start()

    run.server.script["DOT"] = _first(4, soon)
    run.sent(12)
    run.settle()


@fault("F7", "a slow greeting, dripped answers, a tarpit")
def slow(run: Run) -> None:
    """Dripped for ever is silence; whatever comes within the time-outs is an answer."""
    pace = run.stage.pace
    run.server.script["GREETING"] = lambda _argument: time.sleep(5 / pace)
    run.server.script["EHLO"] = _first(1, DRIP)
    run.server.script["RCPT"] = lambda _argument: time.sleep(2 / pace)
    run.sent(8)
    run.settle()


@fault("F7", "it never answers, at each verb")
def silent(run: Run) -> None:
    """Longer than eleven minutes: until it is shut down. Each time-out is this side's own."""
    run.record.doubts = 1
    for verb in VERBS:
        run.server.script[verb] = _first(1, SILENCE)
    run.sent(12)
    run.settle(240)


@fault("F7", "TLS is demanded, and is not offered, or by a stranger")
def no_tls(run: Run) -> None:
    """Not one byte of DATA until the route says otherwise."""
    from portal.models import MailRoute, OutgoingMail

    port = run.stage.mail_line.port
    route = MailRoute(organization=run.organization, way="relay", tls="enforced", host="127.0.0.1", port=port)
    route.save()
    run.sent(6)
    run.wait(lambda: run.rows().filter(server_reply__contains="STARTTLS").exists(), 30)
    run.server.extensions.append("STARTTLS")
    run.server.tls = certificate_for("127.0.0.1", run.stage.folder).context
    run.wait(lambda: run.rows().filter(server_reply__contains="TLS").exists(), 30)
    time.sleep(5)
    if run.heard():
        run.record.wrong.append(f"{run.heard()} mails left without the TLS that was demanded")
    run.server.extensions.clear()
    route.delete()
    OutgoingMail.objects.filter(organization=run.organization, finished_at__isnull=True).update(due_at=_now())


def _now():
    from portal import moments

    return moments.now()
