"""Rules and policy that come with Sekisho are found in a clone, and in a wheel before anything beside it."""

import sekisho
from sekisho.config.shipped import shipped


def test_in_a_clone():
    assert (shipped("rules") / "dlp" / "card.toml").is_file()
    assert shipped("policy/default.toml").is_file()


def test_in_a_wheel(tmp_path, monkeypatch):
    package = tmp_path / "lib" / "site-packages" / "sekisho"
    (package / "data" / "rules").mkdir(parents=True)
    monkeypatch.setattr(sekisho, "__file__", str(package / "__init__.py"))
    assert shipped("rules") == package / "data" / "rules"
