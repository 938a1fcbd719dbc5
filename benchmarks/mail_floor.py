"""The floor of a notification: a bare Celery task that sends 100 mails over one kept connection."""

import os
import smtplib
from email.message import EmailMessage

from celery import Celery

MAILS = 100

app = Celery("floor", broker=os.environ.get("BROKER_URL"))
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, task_default_queue="floor")


@app.task
def send_100(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="floor.example") as smtp:
        for number in range(MAILS):
            message = EmailMessage()
            message["Subject"] = "A message is waiting"
            message["From"], message["To"] = "no-reply@portal.example", f"r{number}@outside.example"
            message.set_content("Somebody has sent you a message.\n\nhttp://127.0.0.1/p/benchmark/\n" * 5)
            smtp.send_message(message)
