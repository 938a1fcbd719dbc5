"""What each process of a worker does before its first task."""

import gc

from celery.signals import worker_process_init

from securemsg import celery


def test_its_full_rounds_of_garbage_collection_leave_code_out():
    gc.unfreeze()
    at_first = len(gc.get_objects())
    worker_process_init.send(sender=celery.app)
    assert gc.get_freeze_count() > 100_000
    assert len(gc.get_objects()) < at_first / 10
