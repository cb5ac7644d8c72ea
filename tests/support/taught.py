"""A small content model made by hand, mails for it, and decisions about them."""

import random
from datetime import UTC, datetime

import numpy as np

from sekisho.learn.clean import cleaned
from sekisho.learn.grams import BITS, grams
from sekisho.learn.ground import Ground
from sekisho.learn.model import SCRIPTS, Features, Model, Weights, log_odds
from sekisho.learn.sketch import sketch
from sekisho.mail.decision import Decision

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STEEP = tuple((x / 2, float(x)) for x in range(-8, 9))  # a sum of 1 is a log odds of 2

OFFICE = """meeting agenda minutes project schedule please review attached report quarter budget team office
lunch travel invoice order delivery customer contract draft comments thanks regards tomorrow week
monday call question answer update figures table chapter version release test server printer room
floor visit plan note holiday colleague"""
ABUSE = """verify account suspended password immediately click login confirm bank unlock security alert limited
winner prize lottery claim urgent transfer gift card offer free discount cheap pills casino bonus
guaranteed deal"""
MARKET = """order now limited offer ends sunday free delivery discount members club catalogue season weekly
letter leave the list answer to this address you get since our new shop sale save percent every day
shoes watches tools"""
GARDEN = """Spring bulbs and garden tools: our weekly letter from Aoyama Gardens. Order seeds of the season from
our catalogue, with free delivery and a discount for members of the Aoyama garden club. This limited
offer ends on Sunday. You get this letter since you are a member; answer to this address to leave
the list. Aoyama Gardens, 3 Hill Road."""


def words(of, number, seed):
    return " ".join(random.Random(seed).choices(of.split(), k=number))


def garden(number):
    """An issue of a newsletter: the same frame, other news."""
    return cleaned(f"Aoyama Gardens, letter {number}", f"{GARDEN}\nThis week: {words(OFFICE, 30, number)}.")


def phishing(seed):
    return cleaned("Your account is suspended", f"{words(ABUSE, 60, seed)} {words(OFFICE, 10, seed)}")


def office(seed):
    return cleaned("Meeting", words(OFFICE, 80, seed))


def weights():
    """Trained by counting: the importance of an n-gram is 1 + ln(mails / mails with it), its weight log odds."""
    mails = [(office(seed), False) for seed in range(60)] + [(phishing(seed), True) for seed in range(60)]
    mails += [
        (cleaned("Offer of the week", f"{words(MARKET, 80, seed)} {words(OFFICE, 20, seed)}"), True)
        for seed in range(60)
    ]
    in_bad, in_fine = np.zeros(1 << BITS), np.zeros(1 << BITS)
    for text, bad in mails:
        (in_bad if bad else in_fine)[grams(text)] += 1
    seen = in_bad + in_fine
    importance = np.where(seen > 1, 1 + np.log(len(mails) / np.maximum(seen, 1)), 0).astype(np.float32)
    abuse = np.where(seen > 1, np.log((in_bad + 1) / (in_fine + 1)), 0).astype(np.float32) / 23
    rows = np.stack([abuse, abuse, abuse])
    curves = dict.fromkeys(SCRIPTS, (STEEP, STEEP, STEEP))
    return Weights(
        version="test",
        importance=np.stack([importance, importance, importance]),
        common=seen > 3,
        grams=rows,
        facts={},
        bias=(-0.45, -1.2, -2.0),  # mostly spam
        curves=curves,
    )


WEIGHTS = weights()
MODEL = Model(WEIGHTS)
GROUND = Ground(MODEL)


def features(text):
    return Features(grams(text), ())


def decision(id_, text, label="fine", *, reviewer="ann", sender="news@corp.example", at=NOW, **more):
    """A decision; `probability` says what the shipped model thought, where that is not the test's model."""
    read = features(text)
    probability = more.pop("probability", None)
    scores = MODEL.score_features(read)
    values = {
        "id": str(id_),
        "tenant": "default",
        "at": at,
        "reviewer": reviewer,
        "sender": sender,
        "label": label,
        "kind": scores.kind,
        "logit": scores.logit if probability is None else log_odds(probability),
        "model": "test",
        "bits": BITS,
        "features": GROUND.features(read.indices),
        "sketch": sketch(read.grams),
    }
    return Decision(**{**values, **more})
