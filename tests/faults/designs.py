"""The portal's design, broken on purpose, one part at a time: each has to show as a violation in the fault that it is
there for, or the suite would not notice if that part were lost.
"""

from collections.abc import Callable
from typing import Any

WHOLE = "whole"


def early_ack() -> None:
    """The mail is written off as sent before it has left."""
    from portal import claims, moments, outbox
    from portal.models import OutgoingMail

    mark_sending = claims.mark_sending

    def mark_sent(mail: Any) -> bool:
        if not mark_sending(mail):
            return False
        ours = OutgoingMail.objects.filter(pk=mail.pk)
        ours.update(state=outbox.State.SENT, finished_at=moments.now(), lease_until=None)
        return True

    claims.mark_sending = mark_sent


def no_fence() -> None:
    """A worker writes whatever it holds, overtaken or not."""
    from portal import claims, moments, outbox
    from portal.models import OutgoingMail

    def write(mail: Any) -> bool:
        fields = ("state", "server_reply", "lease_until", "finished_at", "due_at", "ambiguous_at", "attempts")
        values = {field: getattr(mail, field) for field in fields}
        return OutgoingMail.objects.filter(pk=mail.pk).update(**values) == 1

    def write_sent(mail: Any, server_reply: str) -> bool:
        values = {"state": outbox.State.SENT, "server_reply": server_reply, "finished_at": moments.now()}
        return OutgoingMail.objects.filter(pk=mail.pk).update(lease_until=None, **values) == 1

    def mark_sending(mail: Any) -> bool:
        values = {"state": outbox.State.SENDING, "lease_until": moments.now() + claims.LEASE, "finished_at": None}
        return OutgoingMail.objects.filter(pk=mail.pk).update(**values) == 1

    claims.write, claims.write_sent, claims.mark_sending = write, write_sent, mark_sending


def no_lease() -> None:
    """What one worker is about to send, another may claim at once."""
    from datetime import timedelta

    from portal import claims

    claims.LEASE = timedelta(0)


def no_recheck() -> None:
    """The last word before DATA is always yes."""
    from portal import claims, outbox
    from portal.models import OutgoingMail

    def mark_sending(mail: Any) -> bool:
        OutgoingMail.objects.filter(pk=mail.pk, fence=mail.fence).update(state=outbox.State.SENDING)
        return True

    claims.mark_sending = mark_sending


def no_outbox() -> None:
    """The request publishes each mail to the broker, and nobody else looks for it."""
    from datetime import timedelta

    from celery import current_app
    from django.db import transaction

    from portal import bulk, moments, outbox

    def publish(mails: Any) -> None:
        for mail in mails:
            mail.due_at = moments.now() + timedelta(days=365)
        bulk.insert(mails, ignore_conflicts=True)
        ids = [str(mail.id) for mail in mails]
        transaction.on_commit(
            lambda: [current_app.send_task("tests.faults.deliver_one", [one], queue="mail", retry=False) for one in ids]
        )

    def publish_like(mail: Any, *, about: Any, to_address: Any, dedupe_key: Any) -> Any:
        rows = zip(about, to_address, dedupe_key, strict=True)
        names = ("organization", "kind", "due_at", "not_after")
        like = {name: getattr(mail, name) for name in names}
        mails = [outbox.new_mail(about=one, to_address=to, dedupe_key=key, **like) for one, to, key in rows]
        publish(mails)
        return [one.id for one in mails]

    outbox.enqueue, outbox.enqueue_like = publish, publish_like


def _take_published() -> None:
    from celery import shared_task

    from portal import delivery, moments
    from portal.models import OutgoingMail

    @shared_task(name="tests.faults.deliver_one")
    def deliver_one(mail_id: str) -> None:
        OutgoingMail.objects.filter(id=mail_id).update(due_at=moments.now())
        delivery.deliver_due(1)


_IN_WORKER: dict[str, Callable[[], None]] = {
    "early ack": early_ack,
    "no fence": no_fence,
    "no lease": no_lease,
    "no re-check before DATA": no_recheck,
    "publish without outbox": _take_published,
}
DESIGNS = tuple(_IN_WORKER)


def break_in_worker(design: str) -> None:
    if design != WHOLE:
        _IN_WORKER[design]()


def break_in_web(design: str) -> None:
    if design == "publish without outbox":
        no_outbox()
