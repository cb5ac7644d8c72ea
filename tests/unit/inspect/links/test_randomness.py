import pytest

from sekisho.inspect.links.randomness import looks_random


@pytest.mark.parametrize("label", ["qcrtqv", "n9o6ec4y", "zjsygbv", "xk7f2qj", "brvqxs", "vuprppwldvo"])
def test_random(label):
    assert looks_random(label)


@pytest.mark.parametrize(
    "label",
    [
        "example",
        "mitsubishi",
        "yamanoue-kogyo",
        "tsukuba",
        "strengths",
        "jreast",
        "web2print",
        "ibm",
        "12345678",
        "zhongguo",
        "xerox",
    ],
)
def test_chosen(label):
    assert not looks_random(label)
