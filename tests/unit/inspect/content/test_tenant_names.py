from sekisho.inspect.content.tenant_names import Names, sites_of


def test_from_settings():
    names = Names.of(
        companies=["山上工業", " "], partners=[".Tokyo-Shoji.co.jp"], warners=["IT@Example.jp", ".sso.example.jp"]
    )
    assert names.companies == ("山上工業",)
    assert names.partners == {"tokyo-shoji.co.jp"}
    assert names.warners == {"it@example.jp", "sso.example.jp"}
    assert not names.people


def test_sites():
    assert sites_of(frozenset((".mail.example.co.jp", "example.co.jp"))) == {"example.co.jp"}
