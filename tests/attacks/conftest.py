from tests.accounts.conftest import in_parallel, reference_of, try_log_in  # noqa: F401  fixtures
