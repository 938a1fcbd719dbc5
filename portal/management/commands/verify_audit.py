"""`manage.py verify_audit`: is the audit log what was written? Exit code 1 where it is not."""

from argparse import ArgumentParser, FileType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import audit, audit_export, checkpoints
from portal.models import Organization


class Command(BaseCommand):
    help = "Recompute every organisation's audit chain and name the first broken link and the events missing from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", nargs="*", help="slugs; all organisations where none is given")
        parser.add_argument("--file", type=FileType(encoding="utf-8"), help="verify an export (JSON lines) instead")

        parser.add_argument(
            "--checkpoints", type=FileType(encoding="utf-8"), help="compare with the signed heads in this file, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"]:
            self.report_file(options["file"])
            return
        organizations = Organization.objects.order_by("slug")
        if slugs := options["organization"]:
            organizations = organizations.filter(slug__in=slugs)
            if unknown := set(slugs) - {organization.slug for organization in organizations}:
                raise CommandError(f"No such organisation: {', '.join(sorted(unknown))}")
        # Every one is reported, also after one that is not intact.
        intact = [self.report(organization) for organization in organizations]
        if options["checkpoints"]:
            intact.append(self.report_checkpoints(options["checkpoints"]))
        if not all(intact):
            raise CommandError("The audit log is not intact.")

    def report_file(self, lines: Any) -> None:
        found = audit_export.verify(lines)
        self.stdout.write(f"{found.links} links of the file verified")
        if found.broken_at is not None:
            raise CommandError(f"The export is not intact: link {found.broken_at}: {found.why}")

    def report_checkpoints(self, lines: Any) -> bool:
        good, broken = checkpoints.verify(lines)
        self.stdout.write(f"{good} checkpoints agree with the chains")
        for problem in broken:
            self.stdout.write(problem)
        return not broken

    def report(self, organization: Organization) -> bool:
        found = audit.verify(organization)
        # The head is worth keeping elsewhere: a chain whose end was cut off no longer leads to it.
        self.stdout.write(f"{organization.slug}: {found.links} links verified, head {found.head.hex()}")
        if found.broken_at is not None:
            self.stdout.write(f"{organization.slug}: link {found.broken_at} is broken: {found.why}")
        for event in found.missing:
            self.stdout.write(f"{organization.slug}: event {event} is missing from the chain")
        return found.intact
