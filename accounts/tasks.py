"""What the clock runs."""

from celery import shared_task

from . import sessions


@shared_task
def clear_ended_sessions() -> None:
    sessions.clear_ended()
