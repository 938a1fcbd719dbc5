"""The entry point of the suite's own re-wrapping: `python -m tests.faults.rotate FOLDER`."""

import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "securemsg.settings")

import django
from django.core.management import call_command

from . import failpoints

if __name__ == "__main__":
    django.setup()
    failpoints.plant_in_rotation(failpoints.Failpoints(Path(sys.argv[1])))
    call_command("rewrap_keys")
