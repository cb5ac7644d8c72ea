import pytest

from sekisho.inspect.links.sign import graded
from sekisho.mail.finding import Severity


@pytest.mark.parametrize(
    ("sure", "severity"),
    [
        (0.3, Severity.LOW),
        (0.5, Severity.MEDIUM),
        (0.74, Severity.MEDIUM),
        (0.75, Severity.HIGH),
        (1.3, Severity.HIGH),
    ],
)
def test_serious_as_far_as_it_is_sure(sure, severity):
    sign = graded("link/x", sure, "why")
    assert sign.severity is severity
    assert sign.confidence <= 0.95
