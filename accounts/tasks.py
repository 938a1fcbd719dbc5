"""What the clock runs."""

from celery import shared_task

from . import expired_passwords, keeping, kept_texts, mail_requests, session_store, throttling


@shared_task
def answer_mail_requests() -> None:
    mail_requests.answer_waiting()


@shared_task
def remind_of_expiring_passwords() -> None:
    expired_passwords.remind()


@shared_task
def tell_the_locked() -> None:
    throttling.tell_the_locked()


@shared_task
def clear_ended_sessions() -> None:
    session_store.clear_ended()
    kept_texts.clear_old()


@shared_task
def clear_old_attempts() -> None:
    keeping.clear_old()
