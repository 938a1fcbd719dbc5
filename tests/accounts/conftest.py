import re
import threading
from collections.abc import Callable, Iterable

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts import credentials
from accounts.models import User
from portal import moments


@pytest.fixture
def newcomer(organization, make_user) -> User:
    """An outsider who has never set a password."""
    return make_user(organization, "newcomer@outside.example", name="New Comer", password=None)


@pytest.fixture
def temporary_password() -> Callable[[User], str]:
    """temporary_password(user): the one that a first notification brings them."""

    def issue(user: User) -> str:
        with transaction.atomic():
            [mail] = credentials.first_visit_mails([user], due_at=moments.now())
        return credentials.temporary_password(mail.about)

    return issue


@pytest.fixture
def try_log_in() -> Callable[..., Client]:
    """try_log_in(client, address, password, url="/p/north/"): the second step; returns the response."""

    def post(client: Client, address: str, password: str, url: str = "/p/north/", **extra):
        return client.post(url, {"address": address, "password": password}, **extra)

    return post


@pytest.fixture
def reference_of() -> Callable:
    def find(response) -> str:
        found = re.search(r'class="reference">([A-Z]+)<', response.content.decode())
        assert found
        return found[1]

    return find


@pytest.fixture
def in_parallel() -> Callable[[Iterable[Callable[[], object]]], list]:
    """in_parallel(jobs): run all of them at once, each with a database connection of its own; what they returned."""

    def run(jobs: Iterable[Callable[[], object]]) -> list:
        results: list = []

        def work(job: Callable[[], object]) -> None:
            try:
                results.append(job())
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == len(threads), "one of them failed"
        return results

    return run
