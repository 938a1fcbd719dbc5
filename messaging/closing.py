"""Closing an organisation: its messages. Their keys are destroyed before this begins; here go every copy's key, the
files, what is sealed, and who wrote to whom under which address."""

from django.db import transaction
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import closing, erased
from portal.models import Organization

from . import retention
from .models import Activity, ApprovedReading, Attachment, Erasure, MassRecall, Message, Recipient, RecipientUse

_ROWS = 250


def _figures(organization: Organization) -> list[str]:
    """Nothing is said of what is not there."""
    sentences = []
    count = Message.objects.filter(organization=organization, purged_at__isnull=True).count()
    files = Attachment.objects.filter(message__organization=organization)
    total = files.aggregate(total=Sum("size"))["total"]
    if count:
        sentence = ngettext(
            "%(count)d message or draft is destroyed, for everybody who holds it.",
            "%(count)d messages and drafts are destroyed, for everybody who holds them.",
            count,
        )
        sentences.append(sentence % {"count": count})
    if total:
        sentences.append(_("Attached files of %(size)s are destroyed.") % {"size": filesizeformat(total)})
    return sentences


def _step(organization: Organization) -> bool:
    # What another worker holds is left to it, but not forgotten.
    if retention.purge_some_of_all(organization) or retention.is_anything_left(organization):
        return True
    return _forget_some(organization) or closing.destroy_some(
        [
            ApprovedReading.objects.filter(organization=organization),
            MassRecall.objects.filter(organization=organization),
            Erasure.objects.filter(organization=organization),
            Activity.objects.filter(organization=organization),
            RecipientUse.objects.filter(sender__organization=organization),
        ]
    )


@transaction.atomic
def _forget_some(organization: Organization) -> bool:
    """Addresses and names in the histories of messages."""
    known = Recipient.objects.filter(message__organization=organization)
    rows = list(known.exclude(address__endswith=f"@{erased.DOMAIN}").only("id", "user_id")[:_ROWS])
    for row in rows:
        row.address, row.name = erased.address_of(row.user_id), ""
    Recipient.objects.bulk_update(rows, ["address", "name"])
    return bool(rows)


closing.register(_figures, _step)
