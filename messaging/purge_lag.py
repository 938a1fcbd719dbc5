"""How far the purge is behind, as a metric."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Min
from prometheus_client.core import GaugeMetricFamily, Metric

from portal import metrics, moments
from portal.models import Organization

from .models import Message


def lag_seconds() -> float:
    """How long the message that is most overdue should have been purged; 0: none is."""
    now = moments.now()
    longest = timedelta(0)
    for organization in Organization.objects.only("id", "retention_days"):
        ended = now - timedelta(days=organization.retention_days)
        due = Message.objects.filter(organization=organization, sent_at__lte=ended, purged_at__isnull=True)
        oldest = due.aggregate(oldest=Min("sent_at"))["oldest"]
        longest = max(longest, ended - oldest) if oldest else longest
    return longest.total_seconds()


def _collect() -> Iterator[Metric]:
    yield GaugeMetricFamily("securemsg_purge_lag_seconds", "How long the most overdue message has been.", lag_seconds())


metrics.register(_collect)
