"""The Celery app and its whole schedule.

The database is the queue; Celery and Redis are the wake-up call and the hands. Losing every message in
Redis costs seconds, never a mail: the clock below finds whatever is due.
"""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "securemsg.settings")

app = Celery("securemsg")
# Worker and clock may run as threads of the newcomer's process, where "the current app" is not this one.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "deliver due mail": {"task": "portal.tasks.deliver_due_mail", "schedule": 5.0},
    "check what the DNS says about our mail": {"task": "portal.tasks.check_mail", "schedule": 60.0},
    "link audit events into their chains": {"task": "portal.tasks.link_audit_events", "schedule": 5.0},
    "link audit events that came late": {
        "task": "portal.tasks.link_audit_events",
        "schedule": 3600.0,
        "kwargs": {"everything": True},
    },
    "sign the heads of the audit log": {"task": "portal.tasks.write_audit_checkpoints", "schedule": 3600.0},
    "recall what administrators selected": {"task": "messaging.tasks.recall_selections", "schedule": 10.0},
    "go on with administrators' imports": {"task": "portal.tasks.work_off_imports", "schedule": 10.0},
    "forget files that nobody confirmed": {"task": "portal.tasks.forget_old_imports", "schedule": 3600.0},
    "close organisations whose waiting time is over": {"task": "portal.tasks.close_organizations", "schedule": 60.0},
    "erase people": {"task": "messaging.tasks.erase_people", "schedule": 30.0},
    "collect orphaned attachment files": {"task": "messaging.tasks.collect_orphans", "schedule": 3600.0},
    "scan attachments that could not be scanned": {"task": "messaging.tasks.scan_waiting", "schedule": 60.0},
    "answer mail requests": {"task": "accounts.tasks.answer_mail_requests", "schedule": 5.0},
    "remind of passwords that expire": {"task": "accounts.tasks.remind_of_expiring_passwords", "schedule": 3600.0},
    "remind of unread messages that expire": {"task": "messaging.tasks.remind_due", "schedule": 60.0},
    "purge what is past its retention": {"task": "messaging.tasks.purge_due", "schedule": 60.0},
    "destroy the keys of months that are over": {"task": "messaging.tasks.destroy_ended_keys", "schedule": 3600.0},
    "tell whose account is locked": {"task": "accounts.tasks.tell_the_locked", "schedule": 60.0},
    "count what went on": {"task": "messaging.tasks.count_activity", "schedule": 300.0},
    "clear old log-in attempts": {"task": "accounts.tasks.clear_old_attempts", "schedule": 600.0},
    "clear ended sessions": {"task": "accounts.tasks.clear_ended_sessions", "schedule": 3600.0},
}


@worker_process_init.connect
def leave_lasting_objects_out(**_: Any) -> None:
    """Of the garbage collector's full rounds: one takes 60 ms, in the middle of whatever transaction, and nearly all
    that it looks at is code, which stays for as long as the process."""
    gc.collect()
    gc.freeze()
