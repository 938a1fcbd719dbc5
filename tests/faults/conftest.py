import os
from collections.abc import Callable, Iterator

import pytest
from celery import Celery, current_app
from playwright.sync_api import Browser, Page

from tests.browser import steps
from tests.smtp_server import ScriptedServer, running

from .installation import Installation
from .processes import Redis

# The browser's driver keeps an event loop in this thread, in which Django would refuse every query.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with running() as server:
        yield server


@pytest.fixture
def redis(tmp_path, settings) -> Iterator[Redis]:
    """A broker of this test's own; the suite's process publishes there, too."""
    ours = current_app._get_current_object()
    redis = Redis(tmp_path)
    app = Celery("publisher", broker=redis.url, set_as_current=True)
    app.config_from_object(
        {
            "broker_transport": settings.REDIS_TRANSPORT,
            "broker_transport_options": settings.REDIS_TRANSPORT_OPTIONS,
            "task_default_queue": settings.CELERY_TASK_DEFAULT_QUEUE,
            "task_queues": settings.CELERY_TASK_QUEUES,
            "task_routes": settings.CELERY_TASK_ROUTES,
        }
    )
    yield redis
    ours.set_current()
    redis.kill()


@pytest.fixture
def installation(tmp_path, settings, redis, server, request) -> Iterator[Installation]:
    # The web process knows only the real hasher: before anybody of the cast gets a password.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    request.getfixturevalue("sender")
    running = Installation(tmp_path, redis, server.port)
    try:
        running.web()
        running.clock()
        yield running
    finally:
        running.end()


@pytest.fixture
def window(browser: Browser) -> Iterator[Callable[[], Page]]:
    contexts, complaints = [], []

    def open_window() -> Page:
        contexts.append(browser.new_context())
        return steps.watch(contexts[-1].new_page(), complaints)

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []
