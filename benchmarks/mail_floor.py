"""The floor of a notification: a bare Celery task that sends 100 mails over one kept connection. They are as large as
notifications, text and HTML as those are, and written by the standard library; what they say is the same for all."""

import os
import smtplib
from email.message import EmailMessage

from celery import Celery

MAILS = 100
_WORDS = "Somebody has sent you a message.\n\nhttp://127.0.0.1/p/benchmark/\n"
TEXT, HTML = _WORDS * 11, f"<p>{_WORDS}</p>\n" * 18

app = Celery("floor", broker=os.environ.get("BROKER_URL"))
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, task_default_queue="floor")


@app.task
def send_100(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, local_hostname="floor.example") as smtp:
        for number in range(MAILS):
            message = EmailMessage()
            message["Subject"] = "A message is waiting"
            message["From"], message["To"] = "no-reply@portal.example", f"r{number}@outside.example"
            message.set_content(TEXT)
            message.add_alternative(HTML, subtype="html")
            smtp.send_message(message)
