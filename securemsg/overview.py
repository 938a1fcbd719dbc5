"""The console's first page: what needs attention, and what went on in the last 30 days, as pictures.

Every number is of the rows this administrator may know of; a constant number of queries.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import throttling
from accounts.models import LogInAttempt, User
from messaging import activity, approved_reading
from messaging.admin.licences import users_near_limit
from messaging.models import ApprovedReading, LicensedSender, Message
from portal import keyring, moments
from portal.charts import Chart, bar_chart
from portal.models import LeafKey, MailHold, Organization, OutgoingMail, RetentionKey
from portal.scoping import is_operator, may, own_organization, visible

DAYS = 30
FAILED_WITHIN = timedelta(days=7)
LATE_AFTER = timedelta(hours=1)
MOST_HOLDS = 5


@dataclass(frozen=True)
class Attention:
    """Something to look at: a sentence, and where."""

    text: str
    url: str


def attention(request: HttpRequest) -> list[Attention]:
    """What there is to look at, of what this administrator's role lets them see."""
    now = moments.now()
    asked = (
        (OutgoingMail, lambda: _held(request)),
        (OutgoingMail, lambda: _failed(request, now)),
        (OutgoingMail, lambda: _late(request, now)),
        (User, lambda: _locked(request, now)),
        (LicensedSender, lambda: _near(request)),
        (ApprovedReading, lambda: _asked_for(request, now)),
        (Organization, lambda: _keys(request)),
    )
    return [found for model, ask in asked if may(request, model, "view") and (found := ask())]


def _asked_for(request: HttpRequest, now: datetime) -> Attention | None:
    """Readings that this administrator may decide: of others, and not void yet."""
    if not may(request, Message, "approve"):
        return None
    waiting = visible(request, ApprovedReading.objects.filter(decided_at__isnull=True)).exclude(
        asked_by=request.user.pk
    )
    count = waiting.filter(asked_at__gte=now - approved_reading.DECIDE_WITHIN).count()
    text = ngettext(
        "%d request to read a message waits for approval.", "%d requests to read a message wait for approval.", count
    )
    return _attention(count, text, "messaging_approvedreading", "")


def _keys(request: HttpRequest) -> Attention | None:
    """For the operator: a rotation of the master key that was begun and is not through."""
    if not is_operator(request):
        return None
    current = next(iter(keyring.master_keys()))
    former = RetentionKey.objects.filter(destroyed_at__isnull=True).exclude(master_key_id=current)
    count = former.count() + LeafKey.objects.exclude(master_key_id=current).count()
    text = ngettext(
        "%d key is still wrapped under a former master key: run manage.py rewrap_keys.",
        "%d keys are still wrapped under a former master key: run manage.py rewrap_keys.",
        count,
    )
    return _attention(count, text, "portal_organization", "")


def _held(request: HttpRequest) -> Attention | None:
    """Destinations that cannot be reached as their route demands; their mail waits."""
    holds = MailHold.objects.order_by("since")
    if not is_operator(request):
        # The installation's own relay concerns every organisation.
        holds = holds.filter(Q(organization=own_organization(request).pk) | Q(organization__isnull=True))
    found = list(holds[:MOST_HOLDS])
    reasons = "; ".join(f"{hold.name}: {hold.words}" for hold in found)
    text = _("Mail waits, because its destination cannot be reached as its route demands. %(reasons)s") % {
        "reasons": reasons
    }
    return Attention(text, f"{reverse('admin:portal_outgoingmail_changelist')}?state__exact=due") if found else None


def _failed(request: HttpRequest, now: datetime) -> Attention | None:
    mails = visible(request, OutgoingMail.objects.filter(state=OutgoingMail.State.FAILED))
    count = mails.filter(finished_at__gte=now - FAILED_WITHIN).count()
    text = ngettext(
        "%d mail could not be delivered in the last 7 days.",
        "%d mails could not be delivered in the last 7 days.",
        count,
    )
    return _attention(count, text, "portal_outgoingmail", "state__exact=failed")


def _late(request: HttpRequest, now: datetime) -> Attention | None:
    mails = visible(request, OutgoingMail.objects.filter(finished_at__isnull=True, due_at__lt=now - LATE_AFTER))
    count = mails.count()
    text = ngettext(
        "%d mail has been waiting for more than an hour.", "%d mails have been waiting for more than an hour.", count
    )
    return _attention(count, text, "portal_outgoingmail", "state__exact=due")


def _locked(request: HttpRequest, now: datetime) -> Attention | None:
    users = visible(request, User.objects.filter(Q(next_try_at__gt=now) | Q(failures__gte=throttling.MOST_FAILURES)))
    count = users.count()
    text = ngettext("%d account is locked after failed log-ins.", "%d accounts are locked after failed log-ins.", count)
    return _attention(count, text, "accounts_user", "state=locked")


def _near(request: HttpRequest) -> Attention | None:
    count = users_near_limit(visible(request, User.objects.all())).count()
    text = ngettext(
        "%d sender is near this month's limit of recipients.",
        "%d senders are near this month's limit of recipients.",
        count,
    )
    return _attention(count, text, "messaging_licensedsender", "limit=near")


def _attention(count: int, text: str, model: str, query: str) -> Attention | None:
    return Attention(text % count, f"{reverse(f'admin:{model}_changelist')}?{query}") if count else None


def charts(request: HttpRequest) -> list[Chart]:
    """Messages, recipients and log-ins of each of the last 30 days, in the time of the administrator's organisation."""
    today = timezone.localtime(moments.now()).date()
    days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    since = timezone.make_aware(datetime.combine(days[0], datetime.min.time()))
    titles: dict[str, str] = {}
    if may(request, Message, "view"):
        titles |= {"messages": _("Messages sent"), "recipients": _("Recipients written to")}
    if may(request, LogInAttempt, "view"):
        titles["log_ins"] = _("Log-ins")
    organization = None if is_operator(request) else own_organization(request)
    found = activity.by_day(list(titles), organization, since)
    return [_by_day(title, found[field], days) for field, title in titles.items()]


def _by_day(title: str, counts: activity.Days, days: list[date]) -> Chart:
    points = [(date_format(day, "j M"), counts.get(day, 0)) for day in days]
    return bar_chart(title, _("Day"), title, points)
