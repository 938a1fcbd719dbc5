"""What the clock and the wake-up calls run: ids in, one call."""

from celery import shared_task


@shared_task
def remind_due() -> None:
    from . import reminders

    reminders.remind_due()


@shared_task
def purge_due() -> None:
    from . import retention

    retention.purge_due()


@shared_task
def destroy_ended_keys() -> None:
    from . import retention

    retention.purge_old_drafts()
    retention.destroy_ended_keys()


@shared_task
def collect_orphans() -> None:
    from . import attachments

    attachments.collect_orphans()


@shared_task
def scan_waiting() -> None:
    from . import late_scans

    late_scans.scan_waiting()


@shared_task
def recall_selections() -> None:
    from . import mass_recall

    mass_recall.work_off()


@shared_task
def erase_people() -> None:
    from . import erasing

    erasing.work_off()


@shared_task
def count_activity() -> None:
    from . import activity

    activity.count_up()
