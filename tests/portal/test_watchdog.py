"""What takes too long is acted upon, by one thread for all limits of a process."""

import threading
import time

from portal import watchdog

SOON = 0.05


def test_what_takes_too_long_is_acted_upon_in_another_thread():
    acted: list[threading.Thread] = []
    late = threading.Event()
    with watchdog.after(SOON, lambda: (acted.append(threading.current_thread()), late.set())):
        assert late.wait(5)
    assert acted != [threading.current_thread()]


def test_what_ends_in_time_is_left_alone():
    acted: list[str] = []
    with watchdog.after(SOON, lambda: acted.append("late")):
        pass
    time.sleep(SOON * 2)
    assert not acted


def test_an_earlier_limit_set_later_is_kept():
    late = threading.Event()
    with watchdog.after(600, late.clear), watchdog.after(SOON, late.set):
        assert late.wait(5)


def test_an_action_that_fails_does_not_end_the_watch(caplog):
    late = threading.Event()
    with watchdog.after(SOON, lambda: 1 / 0), watchdog.after(SOON * 2, late.set):
        assert late.wait(5)
    assert "ZeroDivisionError" in caplog.text


def test_all_limits_share_one_thread():
    with watchdog.after(600, print), watchdog.after(600, print):
        assert sum(thread.name == "watchdog" for thread in threading.enumerate()) == 1
