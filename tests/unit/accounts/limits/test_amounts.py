from support.sent import DOMAINS, sent

from sekisho.accounts.limits.amounts import amounts_of, digest_of, is_internal, sender_of


def test_sides():
    amounts = amounts_of(
        sent(["A@ACME.example", "b@x.sub.acme.example", "c@acme.example.evil.example", "postmaster"])
    )
    assert amounts.internal == ("a@acme.example", "b@x.sub.acme.example")
    assert amounts.external == ("c@acme.example.evil.example", "postmaster")
    assert amounts.of("recipients", "any") == 4
    assert amounts.of("messages", "internal") == 1
    assert amounts.of("bytes", "external") == amounts.octets


def test_nothing_on_a_side():
    amounts = amounts_of(sent(["a@acme.example"]))
    assert [amounts.of(what, "external") for what in ("recipients", "messages", "bytes")] == [0, 0, 0]


def test_is_internal():
    assert is_internal("a@SUB.acme.example", DOMAINS)
    assert not is_internal("a@notacme.example", DOMAINS)
    assert not is_internal("a", DOMAINS)


def test_for_whom():
    session = sent(["a@x.example"]).session
    assert sender_of(session, "News@acme.example").account == "hana@acme.example"
    nobody = sent(["a@x.example"], account=None).session
    assert sender_of(nobody, "News@ACME.example").account == "news@acme.example"
    assert sender_of(nobody, None).account == "<>"
    assert sender_of(nobody, "a@Sub.Acme.example").domain == "sub.acme.example"


def test_the_same_message_again():
    one = digest_of(sent(["a@x.example"]))
    assert digest_of(sent(["a@x.example"], session_id="t2")) == one
    assert digest_of(sent(["b@x.example"])) != one
    assert digest_of(sent(["a@x.example"], body=b"other")) != one
    assert digest_of(sent(["\ud800@x.example"])) != one
