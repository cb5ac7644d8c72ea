import pytest

from sekisho.mailauth.author import ascii_domain, author_domains


@pytest.mark.parametrize(
    ("value", "domains"),
    [
        # the forms of RFC 5322 A.1.2, A.1.3, A.5 and A.6.1
        ("John Doe <jdoe@machine.example>", ("machine.example",)),
        ('"Joe Q. Public" <john.q.public@example.com>', ("example.com",)),
        ('"Giant; \\"Big\\" Box" <sysservices@example.net>', ("example.net",)),
        ("A Group:Ed Jones <joe@where.test>,joe@where.test,John <jdoe@one.test>;", ("where.test", "one.test")),
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ("silly.test",)),
        ("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", ("example.net", "test.example")),
        # an address in a display name or a comment is not the author
        ('"ceo@bank.example" <eve@evil.example>', ("evil.example",)),
        ("(ceo@bank.example) eve@evil.example", ("evil.example",)),
        ("((deep (deeper) ceo@bank.example)) eve@evil.example", ("evil.example",)),
        ('"a@b"@evil.example', ("evil.example",)),
        ("A@EXAMPLE.JP., b@example.jp", ("example.jp",)),
        ("<@a.example,@b.example:c@d.example>", ("d.example",)),
        ("nobody", ("",)),
        ("<>", ("",)),
        ("", ()),
    ],
)
def test_author_domains(value, domains):
    assert author_domains(value) == domains


@pytest.mark.parametrize("piece", ["(", ")", '"', '\\"', "<", "<a@", "@", ",", ":", '"\\'])
def test_author_domains_in_linear_time(piece):
    # the square of this would run into the timeout of every test
    author_domains(piece * 300_000)


def test_domains_outside_ascii_become_a_labels():
    # the example name of RFC 3492's and RFC 5890's readers: IDNA 2003 and 2008 agree on it
    assert ascii_domain("例え.テスト") == "xn--r8jz45g.xn--zckzah"
    assert ascii_domain("Example.JP.") == "example.jp"
    assert ascii_domain("é" * 300) == ""
