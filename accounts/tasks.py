"""What the clock runs."""

from celery import shared_task

from . import mail_requests, sessions


@shared_task
def answer_mail_requests() -> None:
    mail_requests.answer_waiting()


@shared_task
def clear_ended_sessions() -> None:
    sessions.clear_ended()
