"""What stands in for a Docker engine: the files that describe the real stack agree with the code and one another.

The image's own commands run in an environment of their own in `.ci/run`.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.portal_process import ROOT

PACKAGES = ("securemsg", "messaging", "accounts", "portal")


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.fixture
def compose() -> dict:
    return yaml.safe_load(read("compose.yaml"))


def variables_of_settings() -> set[str]:
    return set(re.findall(r'(?:env(?:\.\w+)?|required)\(\s*"([A-Z_]+)"', read("securemsg/settings.py")))


def variables_of_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", read("compose.yaml")))


def test_every_variable_is_explained_and_every_explained_one_is_read():
    explained = re.findall(r"^#?([A-Z_]+)=", read(".env.example"), re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == variables_of_settings() | variables_of_compose()


def test_each_explanation_has_words():
    lines = read(".env.example").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#?[A-Z_]+=", line):
            assert lines[number - 1].startswith("# "), line


def test_the_example_holds_no_secret():
    for name in ("SECRET_KEY", "MASTER_KEYS", "MASTER_KEYS_FILE", "POSTGRES_PASSWORD"):
        assert re.search(rf"^#?{name}=$", read(".env.example"), re.MULTILINE), name


def test_what_must_be_set_is_what_stops_the_start():
    must = read(".env.example").partition("--- May be set")[0]
    required = set(re.findall(r'required\(\s*"([A-Z_]+)"', read("securemsg/settings.py"))) | {"MASTER_KEYS_FILE"}
    assert set(re.findall(r"^([A-Z_]+)=", must, re.MULTILINE)) == required


def test_what_compose_sets_is_read_by_the_portal(compose):
    assert set(compose["services"]["web"]["environment"]) <= variables_of_settings()


def test_compose_starts_every_part(compose):
    services = compose["services"]
    assert set(services) == {"migrate", "web", "worker", "clock", "bounces", "postgres", "redis"}
    for name in ("migrate", "web", "worker", "clock", "bounces"):
        assert services[name]["build"] == "."
        assert services[name]["read_only"] is True
        assert services[name]["environment"]["MASTER_KEYS_FILE"] == "/run/secrets/master_keys"
    for name in ("web", "worker", "clock", "bounces"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_only_the_web_server_can_be_reached_and_only_from_this_machine(compose):
    # Bounces come from everywhere, to those who started their receiver on purpose.
    assert compose["services"]["bounces"]["profiles"] == ["bounces"]
    usual = {name: service for name, service in compose["services"].items() if "profiles" not in service}
    ports = {name: service.get("ports", []) for name, service in usual.items()}
    assert {name: listed for name, listed in ports.items() if listed} == {"web": ["127.0.0.1:8000:8000"]}


def test_a_worker_is_given_as_long_to_stop_as_a_task_may_take(compose, settings):
    grace = compose["services"]["worker"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > settings.CELERY_TASK_TIME_LIMIT


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "deploy/build.env", "deploy/gunicorn.conf.py"])
def test_nothing_secret_is_inside(name):
    assert not re.search(r"(?i)(password|secret|token)\s*[:=]\s*['\"]?(?!only-while)[a-z0-9+/]{6,}", read(name))


def test_the_image_holds_all_the_code_and_nothing_else():
    copied = {source for line in re.findall(r"^COPY (.+)$", read("Dockerfile"), re.M) for source in line.split()[:-1]}
    assert copied == {
        *PACKAGES,
        "manage.py",
        "requirements.lock",
        "pyproject.toml",
        "deploy",
        "templates",
        "static",
    }
    assert all((ROOT / source).exists() for source in copied)
    allowed = re.findall(r"^!(.+)$", read(".dockerignore"), re.MULTILINE)
    assert set(allowed) == copied


def test_the_image_runs_as_nobody_in_particular():
    assert re.search(r"^USER 10001:10001$", read("Dockerfile"), re.MULTILINE)
    command = json.loads(re.search(r"^CMD (.+)$", read("Dockerfile"), re.MULTILINE)[1])
    assert command[0] == "gunicorn"
    assert (ROOT / command[command.index("--config") + 1]).exists()


def test_the_build_has_every_variable_it_needs():
    given = set(re.findall(r"^([A-Z_]+)=", read("deploy/build.env"), re.MULTILINE))
    assert set(re.findall(r'required\(\s*"([A-Z_]+)"', read("securemsg/settings.py"))) <= given


def test_no_secret_is_kept_in_version_control():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = {Path(name).name for name in tracked}
    assert not names & {".env", "master.keys", "secret.key", "passwords.json", "demo.json"}
    ignored = read(".gitignore").split()
    assert {".env", "/var/", "/master.keys"} <= set(ignored)
