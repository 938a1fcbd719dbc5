"""What the clock and the wake-up calls run: ids in, one call."""

from celery import shared_task


@shared_task
def collect_orphans() -> None:
    from . import attachments

    attachments.collect_orphans()
