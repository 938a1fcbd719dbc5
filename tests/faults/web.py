"""The entry point of the suite's own web processes: `gunicorn "tests.faults.web:application('FOLDER', 'DESIGN')"`."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "securemsg.settings")

from . import designs, failpoints


def application(folder: str, design: str) -> Any:
    from securemsg.wsgi import application as portal

    designs.break_in_web(design)
    failpoints.plant_in_web(failpoints.Failpoints(Path(folder)))
    return portal
