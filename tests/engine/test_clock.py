"""The clock, and what Ctrl-C does to a run."""

import os
import signal
import time

import pytest

from opsin.engine.clock import Clock


def test_no_budget_never_ends() -> None:
    assert not Clock().over()
    assert Clock().left() == float("inf")


def test_reserve_and_spent_count() -> None:
    assert Clock(1.0, spent=50.0, reserve=11.0).over()
    assert not Clock(1.0, spent=50.0, reserve=5.0).over()


def test_the_first_interrupt_is_polite_and_the_second_is_not() -> None:
    clock = Clock()
    with pytest.raises(KeyboardInterrupt), clock.interruptible():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        assert clock.asked
        assert clock.over()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
