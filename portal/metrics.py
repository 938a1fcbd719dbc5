"""Metrics for Prometheus, computed from the database at each scrape.

Web and worker processes come and go, on several machines; what they counted in memory would be gone with them, and
every scrape would hit another one. The rows are the counters. So it does not matter which process answers, and scraping
one is enough. Answers are kept for ten seconds. The rooms above add what they know of (`register`).
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from . import ids, moments
from .health import Kept
from .models import MailHold, OutgoingMail
from .verdicts import GIVE_UP_AFTER

KEPT_SECONDS = 10
# What "lately" means in names that end in _last_hour.
LATELY = timedelta(hours=1)

Collect = Callable[[], Iterator[Metric]]
_collected: list[Collect] = []


def register(collect: Collect) -> None:
    """Add what `collect` yields to each scrape."""
    _collected.append(collect)


class _Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        for collect in _collected:
            yield from collect()


def _exposition() -> bytes:
    registry = CollectorRegistry()
    registry.register(_Everything())
    return generate_latest(registry)


exposition = Kept(_exposition, KEPT_SECONDS)


# --- Outgoing mail --------------------------------------------------------------------------------------------


def _queue() -> Iterator[Metric]:
    waiting = OutgoingMail.objects.filter(finished_at__isnull=True)
    depth = GaugeMetricFamily("securemsg_mail_queue_depth", "Mails that have not come to an end.", labels=["state"])
    found = dict(waiting.order_by().values_list("state").annotate(n=Count("pk")))
    for state in ("due", "leased", "sending", "ambiguous"):
        depth.add_metric([state], found.get(state, 0))
    yield depth
    now = moments.now()
    oldest = waiting.filter(date__lte=now).aggregate(oldest=Min("date"))["oldest"]
    age = (now - oldest).total_seconds() if oldest else 0
    yield GaugeMetricFamily("securemsg_mail_queue_age_seconds", "How long the oldest waiting mail has been due.", age)
    holds = MailHold.objects.count()
    yield GaugeMetricFamily("securemsg_mail_destinations_held", "Destinations that cannot be reached.", holds)


def _outcomes() -> Iterator[Metric]:
    lately = _finished_lately()
    ends = GaugeMetricFamily(
        "securemsg_mail_outcomes_last_hour", "Mails that came to an end, by kind and class.", labels=["kind", "outcome"]
    )
    for kind, state, number in lately.order_by().values_list("kind", "state").annotate(n=Count("pk")):
        ends.add_metric([kind, state], number)
    yield ends
    since = moments.now() - LATELY
    bounced = OutgoingMail.objects.filter(_made_since(), bounced_at__gte=since).count()
    yield GaugeMetricFamily("securemsg_mail_bounces_last_hour", "Mails that came back.", bounced)


def _stages() -> Iterator[Metric]:
    stages = GaugeMetricFamily(
        "securemsg_mail_stage_seconds_last_hour", "Mean time of sent mails in each stage.", labels=["stage"]
    )
    sent = _finished_lately().filter(state=OutgoingMail.State.SENT, first_tried_at__isnull=False)
    means = sent.aggregate(waiting=_mean("first_tried_at", "date"), delivering=_mean("finished_at", "first_tried_at"))
    for stage, mean in means.items():
        stages.add_metric([stage], max(0, mean.total_seconds()) if mean is not None else 0)
    yield stages


def _mean(end: str, begin: str) -> Avg:
    return Avg(ExpressionWrapper(F(end) - F(begin), output_field=DurationField()))


def _finished_lately() -> QuerySet[OutgoingMail]:
    return OutgoingMail.objects.filter(_made_since(), finished_at__gte=moments.now() - LATELY)


def _made_since() -> Q:
    """No mail that ends today was made before: a digest waits a day, tries go on for two. The id is in time order, and
    the one index these questions need."""
    return Q(id__gte=ids.first_of(moments.now() - GIVE_UP_AFTER - timedelta(days=2)))


for collect in (_queue, _outcomes, _stages):
    register(collect)
