"""What empties the database after a test that commits."""

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db import connections, transaction

KEPT = {model._meta.db_table for model in (ContentType, Permission)}


class Command(flush.Command):
    help = "Django's truncates each table and makes all permissions anew: half a second on PostgreSQL, each time."

    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        # Foreign keys are looked at when it commits.
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for table in set(tables) - KEPT:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
