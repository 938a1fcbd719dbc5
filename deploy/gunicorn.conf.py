"""How web processes serve: `gunicorn --config deploy/gunicorn.conf.py securemsg.wsgi`. More in GUNICORN_CMD_ARGS."""

bind = "0.0.0.0:8000"
# Threads, because most of a request is waiting for the database or for a browser to take its download.
worker_class = "gthread"
workers = 2
threads = 8
# For a worker that hangs as a whole; a slow upload does not, its thread alone waits.
timeout = 60
# Longer than a proxy keeps its connections, so that it never writes into one that is just being closed.
keepalive = 75
graceful_timeout = 30
# The workers' heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108  gunicorn makes a file of its own there
accesslog = None
