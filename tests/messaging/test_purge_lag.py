"""How far the purge is behind."""

from datetime import timedelta

import pytest

from messaging import purge_lag, retention
from messaging.models import Message
from portal import metrics, moments

pytestmark = pytest.mark.django_db


def test_it_is_the_most_overdue_message_and_nothing_once_it_is_purged(sender, recipient, send, organization):
    assert purge_lag.lag_seconds() == 0
    message = send(sender, to=recipient.address)
    assert purge_lag.lag_seconds() == 0
    overdue = timedelta(days=organization.retention_days, hours=2)
    Message.objects.filter(id=message.id).update(sent_at=moments.now() - overdue)
    assert 7200 <= purge_lag.lag_seconds() < 7260
    metrics.exposition.forget()
    assert b"securemsg_purge_lag_seconds 72" in metrics.exposition()
    retention.purge_due()
    assert purge_lag.lag_seconds() == 0
    metrics.exposition.forget()
