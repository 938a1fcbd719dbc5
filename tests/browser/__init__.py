import pytest

# What these assert explains itself as a test's own asserts do.
pytest.register_assert_rewrite("tests.browser.good", "tests.browser.main_job", "tests.browser.steps")
