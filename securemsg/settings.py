"""Every setting, read from the environment; `.env.example` names and explains each variable.

What is missing and has no safe default stops the start with a sentence that says what to set.
"""

import re
from ipaddress import ip_network
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal.logs import configuration

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def required(name: str, why: str) -> str:
    """The variable's value; without one, the start ends here and says what to set."""
    value = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"Set {name}: {why} See .env.example, or try the portal with `make run`.")
    return value


# --- The installation -------------------------------------------------------------------------------------

SECRET_KEY = required("SECRET_KEY", "50 or more random characters that sign cookies.")
# "id:base64 of 32 bytes", comma-separated; the first one writes, all of them read.
MASTER_KEYS = env.str("MASTER_KEYS", default="")
MASTER_KEYS_FILE = env.str("MASTER_KEYS_FILE", default="")
if not (MASTER_KEYS or MASTER_KEYS_FILE):
    raise ImproperlyConfigured(
        "Set MASTER_KEYS_FILE (or MASTER_KEYS): the keys that every stored message hangs on. "
        "Make one with `python -m portal.new_master_key > FILE`; without it, what is stored can never be read again."
    )
# Links in mails start with it; a request's Host header never decides where a recipient is sent.
BASE_URL = required("BASE_URL", "the address people reach the portal at, such as https://portal.example.org.").rstrip(
    "/"
)
SERVED_OVER_TLS = BASE_URL.startswith("https://")
if not SERVED_OVER_TLS and not BASE_URL.startswith(("http://127.0.0.1", "http://localhost")):
    raise ImproperlyConfigured("BASE_URL must start with https:// (plain HTTP is for loopback only).")

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[BASE_URL.split("//")[1].split(":")[0].split("/")[0]])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Hops of our own in front of the portal whose X-Forwarded-For entry is believed; none unless said.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "securemsg.admin.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_otp",
    "portal",
    "accounts",
    "messaging",
]

MIDDLEWARE = [
    "portal.logs.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.middleware.ResponseHeadersMiddleware",
    "portal.middleware.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionLifetimeMiddleware",
    "portal.middleware.LocalTimeMiddleware",
    # Around whatever reads a form.
    "messaging.uploads.UploadsMiddleware",
    # After authentication: reading a form may receive files, and those are only for a live session.
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.LogInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.SealBrokenMiddleware",
    "portal.middleware.ClosedPortalMiddleware",
    "messaging.middleware.GoneMiddleware",
]

# What a page says once lives in the session, not in a cookie that leaves it behind.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
ROOT_URLCONF = "securemsg.urls"
WSGI_APPLICATION = "securemsg.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            # In every template without loading them; the later win.
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "portal.templatetags.constants"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context_processors.page",
                "accounts.context_processors.session",
            ],
        },
    }
]

# --- Database ---------------------------------------------------------------------------------------------

DATABASES = {"default": env.db_url_config(required("DATABASE_URL", "such as postgres://user@host/securemsg."))}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Write locks are taken when a transaction begins, so that two writers wait instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["ENGINE"] = "portal.postgresql"
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A database that does not answer is noticed within seconds, not after the two hours of TCP's own patience
    # (libpq's names; milliseconds in the last one). What DATABASE_URL says in its query wins.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    } | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Who may come in --------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PermissionsBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "home"
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_HTTPONLY = True
# Lax, not Strict: a link in a mail must find its session, and a compose window its CSRF cookie.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
SESSION_COOKIE_NAME = "__Host-session" if SERVED_OVER_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SERVED_OVER_TLS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"

# --- The browser ------------------------------------------------------------------------------------------

SECURE_HSTS_SECONDS = 63_072_000 if SERVED_OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SERVED_OVER_TLS
SECURE_SSL_REDIRECT = SERVED_OVER_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from inside, without TLS
# With no-referrer, browsers send "Origin: null" and every form would fail its CSRF check.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Files ------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": env.str("STATICFILES_STORAGE", default="whitenoise.storage.CompressedManifestStaticFilesStorage")
    },
}
# For real they are collected into one folder, under names that change with their content; while trying the portal
# out, they are served from where they lie.
WHITENOISE_USE_FINDERS = not STORAGES["staticfiles"]["BACKEND"].startswith("whitenoise")
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS  # what is edited shows on the next request
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
# Sealed attachments; one folder that web and workers share.
ATTACHMENTS_DIR = Path(required("ATTACHMENTS_DIR", "the folder that holds sealed attachments."))
# The virus scanner, "unix:/path" or "tcp:host:port"; empty: files are not scanned.
CLAMD = env.str("CLAMD", default="")
if not re.fullmatch(r"|unix:/.+|tcp:.+:\d+", CLAMD):
    raise ImproperlyConfigured("CLAMD must be unix:/run/clamav/clamd.ctl, tcp:host:port, or empty.")
# Where the signed heads of the audit log are appended, hourly; empty: nowhere.
AUDIT_CHECKPOINTS_FILE = env.str("AUDIT_CHECKPOINTS_FILE", default="")
# Django's own handlers write large uploads to a temporary file in the clear; these keep a small one of the console's in
# memory, and seal any other as its bytes arrive.
FILE_UPLOAD_HANDLERS = ["portal.small_files.SmallFileHandler", "messaging.uploads.SealingUploadHandler"]
# A written message may be long; files are not counted here.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
# Beyond this a request is refused whole, with the text in it; a message takes far fewer (messaging/uploads.py).
DATA_UPLOAD_MAX_NUMBER_FILES = 1000

# --- Mail -------------------------------------------------------------------------------------------------

# smtp://user:password@host:port, smtp+tls:// (STARTTLS) or smtp+ssl://
vars().update(
    env.email_url_config(required("SMTP_URL", "the relay notifications leave by, such as smtp+tls://relay:587."))
)
EMAIL_TIMEOUT = 30
# Mail leaves under return paths in this domain, and what comes back is received at the address (receive_bounces).
BOUNCE_DOMAIN = env.str("BOUNCE_DOMAIN", default="")
BOUNCE_LISTEN = env.str("BOUNCE_LISTEN", default="127.0.0.1:8025")
BOUNCE_CERTIFICATE = env.str("BOUNCE_CERTIFICATE", default="")
BOUNCE_CERTIFICATE_KEY = env.str("BOUNCE_CERTIFICATE_KEY", default="")
# Off: everything leaves by the relay above, whatever routes organisations have.
MAIL_ROUTES = env.bool("MAIL_ROUTES", default=True)
# For routes that go straight to a domain's own servers. Empty: the resolvers of the machine.
DNS_SERVERS = env.list("DNS_SERVERS", default=[])
MX_PORT = env.int("MX_PORT", default=25)
MTA_STS_PORT = env.int("MTA_STS_PORT", default=443)
# What organisations' routes lead to lies on the Internet, or in these (portal/mail_networks.py).
MAIL_PRIVATE_NETWORKS = [ip_network(text) for text in env.list("MAIL_PRIVATE_NETWORKS", default=[])]
MAIL_CONNECTIONS_PER_HOST = env.int("MAIL_CONNECTIONS_PER_HOST", default=5)
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default=f"no-reply@{ALLOWED_HOSTS[0]}")

# --- Celery: a wake-up call and the hands; the queue is the database -----------------------------------------

CELERY_BROKER_URL = required("BROKER_URL", "such as redis://127.0.0.1:6379/0.")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 90
# Told before it is killed, or the file that takes so long would be begun again and again (messaging/late_scans.py).
CELERY_TASK_ANNOTATIONS = {"messaging.tasks.scan_waiting": {"soft_time_limit": 80}}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker outlives any outage of its broker
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # "out of memory" is one
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# A queue of its own for mail: workers serve queues in turn, so that a flood of wake-up calls delays nothing else.
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_DEFAULT_QUEUE = "clock"
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"clock": {}, "mail": {}}
CELERY_TASK_ROUTES = {"portal.tasks.deliver_due_mail": {"queue": "mail"}}
REDIS_TRANSPORT = "securemsg.broker:Transport"
REDIS_TRANSPORT_OPTIONS = {
    # Longer than any task may run, or a running one would be started again.
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # Publishing from a request must fail fast; the clock picks up what was not announced. Without max_retries
    # kombu tries for six seconds, "retry=False" or not. A worker waits for its next task by polling the socket, to
    # which these times do not apply, and reconnects by itself.
    "socket_timeout": 0.3,
    "socket_connect_timeout": 0.3,
    "max_retries": 0,
}
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT = REDIS_TRANSPORT
    CELERY_BROKER_TRANSPORT_OPTIONS = REDIS_TRANSPORT_OPTIONS
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.1}

# --- Words and dates --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
# Those in which the portal's own words exist: English text that calls itself German is read aloud as gibberish. One
# more takes a catalogue, and a folder in portal/formats/.
LANGUAGES = [("en-gb", "English (UK)"), ("en", "English (US)")]
FORMAT_MODULE_PATH = "portal.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Health and logs --------------------------------------------------------------------------------------

# Whoever shows it may read /metrics; empty: nobody may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOGGING = configuration(env.str("LOG_FORMAT", default="json"), env.str("LOG_LEVEL", default="INFO"))
