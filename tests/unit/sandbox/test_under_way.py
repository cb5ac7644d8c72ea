import signal

import pytest

from sekisho.sandbox.limits import SandboxLimits
from sekisho.sandbox.messages import Ended
from sekisho.sandbox.under_way import reason_of

LIMITS = SandboxLimits(memory_bytes=1_000_000_000, cpu_seconds=10)


# A wait status is the signal in the low seven bits, or the exit status in the next eight: wait(2).
@pytest.mark.parametrize(
    ("status", "cpu", "peak", "reason"),
    [
        (signal.SIGXCPU, 10.0, 0, "cpu"),
        (signal.SIGKILL, 11.0, 0, "cpu"),  # it ignored SIGXCPU
        (signal.SIGKILL, 1.0, 0, "memory"),  # of the machine
        (signal.SIGSEGV, 1.0, 900_000_000, "memory"),
        (signal.SIGABRT | 0x80, 1.0, 900_000_000, "memory"),
        (signal.SIGSEGV, 1.0, 100_000_000, "died"),
        (signal.SIGSYS, 1.0, 900_000_000, "died"),
        (3 << 8, 1.0, 900_000_000, "memory"),
        (3 << 8, 1.0, 100_000_000, "died"),
        (0, 1.0, 900_000_000, "died"),
        (0, 1.0, 0, "died"),
    ],
)
def test_reason(status, cpu, peak, reason):
    assert reason_of(Ended(1, status, cpu, peak), LIMITS).reason == reason


def test_real_time_signal_has_a_name_too():
    assert reason_of(Ended(1, 40, 0.0, 0), LIMITS).detail.startswith("signal 40 ")


def test_no_process():
    error = reason_of(Ended(1, 0, 0.0, 0, "fork: Resource temporarily unavailable"), LIMITS)
    assert str(error) == "unavailable: fork: Resource temporarily unavailable"
