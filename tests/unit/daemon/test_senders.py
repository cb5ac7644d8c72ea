from sekisho.config.load import load
from sekisho.config.tenants import inherited
from sekisho.daemon.compose import prepared_from
from sekisho.daemon.senders import names_of


def configured(folder, text):
    (folder / "sekisho.toml").write_text(text)
    configuration, problems = load(folder / "sekisho.toml")
    assert problems == []
    return configuration, {name: inherited(configuration.settings, name) for name in configuration.settings.tenant}


def test_names_are_inherited(tmp_path):
    (tmp_path / "people.csv").write_text("山田 太郎;taro@example.jp\n", "utf-8")
    names, problems = names_of(
        *configured(
            tmp_path,
            '[tenant.default]\npeople_file = "people.csv"\ncompany_names = ["山上工業"]\n'
            'warning_sources = ["it@example.jp"]\npartners = ["tokyo-shoji.co.jp"]\n'
            '[tenant.daughter]\nparent = "default"\n[tenant.other]\n',
        )
    )
    assert problems == []
    for name in ("default", "daughter"):
        assert names[name].people.addresses_of("山田太郎") == {"taro@example.jp"}
        assert (names[name].companies, names[name].partners) == (("山上工業",), {"tokyo-shoji.co.jp"})
        assert names[name].warners == {"it@example.jp"}
    assert not names["other"].people


def test_a_wrong_line_is_told_with_its_number(tmp_path):
    (tmp_path / "people.csv").write_text("山田 太郎;taro@example.jp\n\nnobody\n", "utf-8")
    (tmp_path / "sekisho.toml").write_text('[tenant.default]\npeople_file = "people.csv"\n')
    prepared, problems = prepared_from(tmp_path / "sekisho.toml")
    assert prepared is None
    assert [str(problem) for problem in problems if "people.csv:3" in str(problem)]


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / "sekisho.toml").write_text('[tenant.default]\npeople_file = "none.csv"\n')
    prepared, problems = prepared_from(tmp_path / "sekisho.toml")
    assert prepared is None
    assert "people_file" in str(problems[0])
