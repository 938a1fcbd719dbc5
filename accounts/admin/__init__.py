"""Users & Groups, and the log-in attempts, in the administration console."""

from django.contrib import admin
from django.contrib.auth.models import Group as DjangoGroup

from portal.admin import settings

from ..models import Domain
from . import directories, groups, log_in_attempts, users  # noqa: F401  each registers its pages

# Django's groups belong to no organisation.
admin.site.unregister(DjangoGroup)

settings.own_domains_are(
    lambda organization: Domain.objects.filter(organization=organization, is_internal=True).values_list(
        "name", flat=True
    )
)
