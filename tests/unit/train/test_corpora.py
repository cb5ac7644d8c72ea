"""The corpora in one shape; counts are those of the data's own README where it states distinct ones."""

import sys
from itertools import islice
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "train"))

import corpora
from corpora import SHARED, SOURCES, samples, without_source_traces
from mail_text import subject_and_text

needs_data = pytest.mark.skipif(not (SHARED / "mail").is_dir(), reason=f"no corpora in {SHARED / 'mail'}")
SMALL = ("ja_ham_notify", "ja_phishing_lists", "bec_rdube", "ja_ham_business_dialogue")


@needs_data
@pytest.mark.corpus
def test_every_folder_of_the_data_is_a_source():
    assert {folder.name for folder in (SHARED / "mail").iterdir()} == set(SOURCES)


@needs_data
@pytest.mark.corpus
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_gives_whole_distinct_messages(source):
    found = list(islice(samples(SHARED, [source]), 60))
    assert len(found) >= 20
    assert len({sample.group for sample in found}) == len(found)
    for sample in found:
        assert b"\r\n\r\n" in sample.raw
        assert not sample.raw.startswith(b"From ")
        subject, text = subject_and_text(sample.raw)
        assert subject or text


@needs_data
@pytest.mark.corpus
def test_terms_and_labels_are_those_of_the_data():
    found = {source: list(samples(SHARED, [source])) for source in SMALL}
    assert len(found["ja_ham_notify"]) == 124
    assert len(found["ja_ham_business_dialogue"]) == 138
    assert len(found["ja_phishing_lists"]) == pytest.approx(307, rel=0.03)
    assert len(found["bec_rdube"]) == 25  # of 26, one is none by its own label
    assert {(s.label, s.ship_safe) for s in found["bec_rdube"]} == {("bec", False)}
    assert {(s.label, s.ship_safe) for s in found["ja_phishing_lists"]} == {("phishing", True)}
    assert not any(s.headers for s in found["ja_ham_notify"])


@needs_data
@pytest.mark.corpus
def test_nothing_of_a_list_is_left_in_the_traps_mail():
    for sample in samples(SHARED, ["ja_phishing_lists"]):
        subject, text = subject_and_text(without_source_traces(sample).raw)
        assert "mailing list" not in f"{subject} {text}".lower()
        assert "lists." not in f"{subject} {text}".lower()


def test_written_messages_are_sources_by_label_and_language(tmp_path, monkeypatch):
    folder = tmp_path / "train" / "phishing" / "ja"
    folder.mkdir(parents=True)
    table = '[[message]]\nid = "{}"\nsubject = "ご確認"\nbody = "{}"\n'
    (folder / "a.toml").write_text(
        table.format(1, "本文です") + table.format(2, "本文です") + table.format(3, "別です")
    )
    monkeypatch.setattr(corpora, "WRITTEN", {"written": tmp_path / "train", "golden": tmp_path / "none"})
    found = list(samples(tmp_path, corpora.own_sources()))
    assert [(s.source, s.label, s.language, s.ship_safe) for s in found] == [
        ("written_phishing_ja", "phishing", "ja", True)
    ] * 2  # two of the three say the same


def test_a_file_beside_the_folders_begins_with_its_language(tmp_path, monkeypatch):
    for place in ("bec/ja-supplier.toml", "ham/eu/mixed.toml"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text('[[message]]\nid = "a"\nbody = "Bitte senden Sie die Rechnung nicht an uns"\n')
    monkeypatch.setattr(corpora, "WRITTEN", {"written": tmp_path / "none", "golden": tmp_path})
    found = list(samples(tmp_path, corpora.own_sources()))
    assert [(s.source, s.language, s.ship_safe) for s in found] == [
        ("golden_bec_ja", "ja", False),
        ("golden_ham_eu", "de", False),
    ]


def test_an_unknown_source_is_named(tmp_path):
    with pytest.raises(ValueError, match="no_such"):
        list(samples(tmp_path, ["no_such"]))
    with pytest.raises(ValueError, match="written_good_ja"):
        list(samples(tmp_path, ["written_good_ja"]))
