"""What each signal weighs: how often it shows when somebody else uses an account, and with most people.

`signs` are set by hand from what is publicly known of account abuse; `scales` and `prior` are fitted to them by
logistic regression, held near 1, on account-years of `bench/accounts.py` that are not among the reported ones.
"""

from __future__ import annotations

from msgspec import Struct, field


class Sign(Struct, frozen=True):
    """`abuse` is how often a sign shows in abuse, `usual` with most owners, as if seen `strength` times.

    `most` limits what it adds to the log-odds, `least` what it takes. `young`: says nothing of an account that has
    not sent on some days yet, whose first network or recipient is necessarily new.
    """

    abuse: float
    usual: float
    strength: float
    most: float = 2.0
    least: float = -1.0
    young: bool = False


def _signs() -> dict[str, Sign]:
    return {
        "network": Sign(0.85, 0.06, 25, 1.5, young=True),
        "around": Sign(0.8, 0.03, 25, 3.0, young=True),
        "country": Sign(0.5, 0.01, 25, 3.0, young=True),
        "client": Sign(0.7, 0.015, 25, 2.0, young=True),
        "flip": Sign(0.25, 0.004, 25, 3.5, young=True),
        "failures": Sign(0.2, 0.01, 25, 2.5),
        "stranger": Sign(0.8, 0.12, 25, 2.0, young=True),
        "new_domain": Sign(0.8, 0.6, 25, 1.0),
        "link": Sign(0.65, 0.3, 20, 1.2),
        "attachment": Sign(0.4, 0.25, 20, 1.0),
        "elsewhere": Sign(0.3, 0.005, 60, 2.5),
        "other_author": Sign(0.2, 0.01, 60, 2.0),
        "forwarded": Sign(0.1, 0.002, 60, 2.5),
        "failed": Sign(0.15, 0.01, 100, 3.0),
    }


def _scales() -> dict[str, float]:
    # Fitted: signs that say nearly the same share their weight, what tells most in the simulation has more.
    return {
        "address_book": 0.9, "attachment": 1.1, "client": 1.34, "content": 1.49, "country": 0.4, "elsewhere": 1.8,
        "failed": 0.8, "failed.day": 0.8, "failures": 1.1, "flip": 0.6, "forwarded": 0.7, "link": 1.5,
        "recipients.10m": 0.5, "recipients.hour": 0.5, "recipients.day": 0.5, "messages.hour": 0.5,
        "messages.day": 0.5, "other_author": 0.7, "same_text": 0.65, "script": 0.7, "stranger": 1.47,
        "strangers.hour": 0.26, "strangers.day": 0.26, "strange.hour": 0.26,
    }  # fmt: skip


class Weights(Struct, frozen=True):
    """The model. Log-odds are natural; half-life of evidence in seconds.

    `prior` is the log-odds of abuse before anything is seen, `usual_place` what is added to it for mail from usual
    places, `young` for an account's first mail (it fades in some days). A sign's log-odds count times its part of
    `scales`. A family of signs corroborates from `corroboration` on; without `together` such families the probability
    stays at `alone`.
    """

    prior: float = -11.4
    half_life: float = 20 * 3600.0
    signs: dict[str, Sign] = field(default_factory=_signs)
    usual_place: float = -4.3
    young: float = -2.0
    scales: dict[str, float] = field(default_factory=_scales)
    corroboration: float = 0.8
    together: int = 3
    alone: float = 0.5
    # Shares of the content's score classes in abuse, and with most owners.
    abuse_scores: tuple[float, ...] = (0.15, 0.09, 0.12, 0.16, 0.14, 0.12, 0.08, 0.14)
    usual_scores: tuple[float, ...] = (0.78, 0.09, 0.06, 0.04, 0.018, 0.007, 0.003, 0.002)
    score_strength: float = 60.0
    # What half of all accounts reach in an active span.
    typical: dict[str, float] = field(
        default_factory=lambda: {
            "recipients.10m": 3.0,
            "recipients.hour": 5.0,
            "recipients.day": 15.0,
            "messages.hour": 3.0,
            "messages.day": 8.0,
            "strangers.hour": 0.8,
            "strangers.day": 1.5,
            "failed.day": 0.3,
            "strange.hour": 1.0,
        }
    )
    span_strength: float = 6.0


WEIGHTS = Weights()
