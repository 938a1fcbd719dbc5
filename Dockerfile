# One image for web, worker and clock; which one it is, the command says (compose.yaml). Holds no secret and no setting.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /srv/securemsg
RUN install -d -o 10001 -g 10001 -m 0700 /srv/attachments

COPY requirements.lock pyproject.toml ./
COPY deploy deploy
RUN python -m pip install --quiet --require-hashes -r requirements.lock && python deploy/prune.py

COPY manage.py ./
COPY securemsg securemsg
COPY messaging messaging
COPY accounts accounts
COPY portal portal
COPY templates templates
COPY static static
RUN set -a && . ./deploy/build.env && python manage.py collectstatic --noinput --verbosity 0

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "securemsg.wsgi"]
