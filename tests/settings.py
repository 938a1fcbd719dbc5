"""The suite's settings: the real ones, told where things are, with a cheap password hasher.

DATABASE_URL and BROKER_URL choose the second way to run (PostgreSQL and Redis).
"""

import atexit
import os
import shutil
import tempfile

_scratch = tempfile.mkdtemp(prefix="securemsg-tests-")
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_scratch}/default.sqlite3")
os.environ.setdefault("BROKER_URL", "memory://localhost")
os.environ.setdefault("STATICFILES_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")
os.environ.update(
    SECRET_KEY="only-for-the-test-suite-" + "x" * 40,
    MASTER_KEYS="test1:" + "A" * 43 + "=",
    BASE_URL="http://127.0.0.1:8000",
    ALLOWED_HOSTS="testserver,127.0.0.1",
    ATTACHMENTS_DIR=f"{_scratch}/attachments",
    MAIL_FROM="Secure Messaging <no-reply@portal.example>",
    SMTP_URL="smtp://127.0.0.1:1",  # nothing listens: a test that sends brings its own server
    MAIL_PRIVATE_NETWORKS="127.0.0.0/8",  # where the tests' own mail servers are
    LOG_LEVEL="WARNING",
)

from securemsg.settings import *  # noqa: E402, F403
from securemsg.settings import DATABASES, INSTALLED_APPS  # noqa: E402

if "sqlite3" in DATABASES["default"]["ENGINE"]:
    # A file, not memory: threads of a test must see one database.
    DATABASES["default"]["TEST"] = {"NAME": f"{_scratch}/test.sqlite3"}
INSTALLED_APPS = [*INSTALLED_APPS, "tests"]  # for its commands
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
