import pytest
from msgspec.structs import replace

from sekisho.mail.finding import Finding, Severity
from sekisho.record.paths import endings, with_paths


def found(*paths):
    return tuple(Finding("attachment/x", Severity.LOW, path=path) for path in paths)


@pytest.mark.parametrize(
    ("path", "cut"),
    [
        ("salaries 2026.xlsx", "*.xlsx"),
        ("outer.ZIP/list.XLSX", "*.zip/*.xlsx"),
        ("outer.zip/list.docm/macro", "*.zip/*.docm/macro"),
        ("salaries.pdf/page 12", "*.pdf/page 12"),
        ("salaries.xlsx/山田太郎", "*.xlsx/*"),
        ("archive.tar.gz", "*.gz"),
        ("README", "*"),
        ("quoted reply", "quoted reply"),
        ("password.hunter2", "*"),  # an extension no file has
        ("number.123456789012", "*"),
        ("a.b c", "*"),
    ],
)
def test_of_names_only_the_extension_is_left(path, cut):
    assert endings(path) == cut


def test_masked_names_stay_and_nothing_is_made_anew(make_audit):
    audit = make_audit()
    assert with_paths(audit, "masked") is audit


def test_a_message_without_files_is_left_alone(make_audit):
    audit = replace(make_audit(), findings=found(""), verdicts=())
    assert with_paths(audit, "endings") is audit


def test_verdicts_keep_pointing_at_their_findings(make_audit):
    seen = found("a.zip/b.docm", "", "c.pdf")
    audit = make_audit()
    audit = replace(audit, findings=seen, verdicts=(replace(audit.verdicts[0], findings=seen[1:]),))
    cut = with_paths(audit, "endings")
    assert [f.path for f in cut.findings] == ["*.zip/*.docm", "", "*.pdf"]
    assert cut.verdicts[0].findings == cut.findings[1:]


def test_thousands_of_long_names_are_cut_from_where_there_is_no_room(make_audit):
    seen = found(*(f"{'x' * 995}{number:05}.js" for number in range(2000)))
    cut = with_paths(replace(make_audit(), findings=seen), "masked").findings
    assert len(cut) == len(seen)
    assert cut[0] == seen[0]
    assert cut[-1].path == "*.js"
    assert sum(len(f.path) for f in cut) < 210_000
