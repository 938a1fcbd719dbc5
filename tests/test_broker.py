"""Redis refuses, is gone, or says nothing while a task ends: that ends no worker, hangs none, and no place in it is
lost."""

import time
import uuid
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings
from kombu import Connection, Consumer, Producer, Queue
from kombu.message import Message

from tests.faults.proxy import Proxy

pytestmark = pytest.mark.skipif(
    not settings.CELERY_BROKER_URL.startswith("redis"), reason="the broker is in memory: no Redis is told of anything"
)
AT_ONCE = 1.0  # seconds; a worker waits for as long as settings.REDIS_TRANSPORT_OPTIONS say, and not twice
ENDS = pytest.mark.parametrize(
    "end", [Message.ack, Message.reject, Message.requeue], ids=["run", "not run", "given back"]
)


class Worker:
    """What of a worker talks to Redis: it takes a task at a time, of a queue of its own, over a line that may break."""

    def __init__(self, there: redis.Redis) -> None:
        self.there, self.name = there, f"test-{uuid.uuid4().hex}"
        where = there.connection_pool.connection_kwargs
        self.line = Proxy(where["port"])
        self._url = f"redis://127.0.0.1:{self.line.port}/{where['db']}"
        self._keys = {f"unacked_{part}key": f"{self.name}.{part}" for part in ("", "index_", "mutex_")}
        self.index = self._keys["unacked_index_key"]
        self.taken: list[Message] = []
        self.connect()

    def connect(self) -> None:
        options = settings.REDIS_TRANSPORT_OPTIONS | self._keys
        self._connection = Connection(self._url, transport=settings.REDIS_TRANSPORT, transport_options=options)
        channel = self._connection.channel()
        channel.basic_qos(0, 1, False)
        self._queue = Queue(self.name)
        Consumer(channel, [self._queue], callbacks=[lambda _body, message: self.taken.append(message)]).consume()

    def call(self, task: str) -> None:
        Producer(self._connection).publish(task, routing_key=self.name, declare=[self._queue])

    def take(self) -> Message:
        self._connection.drain_events(timeout=5)
        return self.taken[-1]

    def close(self) -> None:
        self._connection.close()

    def end(self) -> None:
        self.line.heal()
        self.there.delete(*self.there.scan_iter(f"*{self.name}*"))
        self.close()
        self.line.end()


@pytest.fixture
def worker() -> Iterator[Worker]:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as there:
        worker = Worker(there)
        yield worker
        worker.end()


@pytest.fixture
def task(worker) -> Message:
    """The first of two, taken."""
    worker.call("first")
    worker.call("second")
    return worker.take()


def interrupted(worker: Worker) -> None:
    worker.line.cut()


def gone(worker: Worker) -> None:
    worker.line.refuses = True
    worker.line.cut()


def silent(worker: Worker) -> None:
    worker.line.black_hole = True


def test_what_redis_can_be_told_it_is_told(worker, task, caplog):
    assert worker.there.zcard(worker.index) == 1
    task.ack()
    assert worker.there.zcard(worker.index) == 0
    assert caplog.text == ""


@ENDS
def test_the_next_is_taken_after_one_that_redis_refused_to_hear_of(worker, task, caplog, end):
    worker.there.set(worker.index, "no index: whatever is done with it is answered with an error")
    end(task)
    assert "The broker was not told" in caplog.text
    worker.there.delete(worker.index)
    assert worker.take().payload == "second"


@ENDS
@pytest.mark.parametrize("trouble", [gone, silent])
def test_a_task_ends_with_nobody_to_tell(worker, task, caplog, trouble: Callable[[Worker], None], end):
    trouble(worker)
    began = time.monotonic()
    end(task)
    assert time.monotonic() - began < AT_ONCE
    assert "The broker was not told" in caplog.text


@ENDS
@pytest.mark.parametrize("trouble", [interrupted, gone, silent])
def test_a_task_that_outlives_its_connection_is_given_to_nobody_else_meanwhile(worker, task, trouble, end):
    trouble(worker)
    began = time.monotonic()
    worker.close()
    assert time.monotonic() - began < AT_ONCE
    worker.line.heal()
    worker.connect()
    assert worker.take().payload == "second"
    end(task)
