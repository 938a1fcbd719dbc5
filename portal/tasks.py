"""What the clock and the wake-up calls run: ids in, one call."""

from celery import shared_task

from . import audit, checkpoints, closing, delivery, imports, mail_check


@shared_task
def deliver_due_mail() -> None:
    # Short turns, so that a long backlog leaves room for other tasks and a worker stops within seconds when asked to.
    delivery.deliver_due(limit=10_000, seconds=10)


@shared_task
def link_audit_events(*, everything: bool = False) -> None:
    audit.link_all(everything=everything)


@shared_task
def check_mail() -> None:
    mail_check.check_requested()


@shared_task
def work_off_imports() -> None:
    imports.work_off()


@shared_task
def forget_old_imports() -> None:
    imports.forget_old()


@shared_task
def write_audit_checkpoints() -> None:
    checkpoints.write()


@shared_task
def close_organizations() -> None:
    closing.work_off()
