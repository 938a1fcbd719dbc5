"""Redis as the broker, for workers that outlive it.

kombu's own transport lets an exception of an acknowledgement end the whole worker: Redis is out of memory, or was gone
and the task ends on a channel that was closed since. A wake-up call is worth none of that. One that is not acknowledged
is handed out again after `visibility_timeout`, and whoever gets it finds in the database what there is to do, if
anything.
"""

import logging

from kombu.transport import redis, virtual

logger = logging.getLogger(__name__)


class QoS(redis.QoS):
    # Or kombu, closing a connection that is lost, would give back what runs yet, to be run a second time beside it.
    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception as error:
            logger.warning("The broker was not told of a task's end: %r", error)
            # This worker's own count, or it would wait for this task for ever and take one less.
            virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception as error:
            logger.warning("The broker was not told that a task was not run: %r", error)
            virtual.QoS.ack(self, delivery_tag)


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel
