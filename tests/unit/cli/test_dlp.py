import os
import stat

import pytest
from support.listed import as_csv, people

from sekisho.inspect.exact.lists import PURPOSE, ExactLists
from sekisho.store.keys import Keys

TEXT = "会員番号,氏名,電話番号,メール\nAB-20451,山田 太郎,090-1234-5678,taro@example.jp\n"
TEXT += "20452,鈴木 花子,なし,hanako@example.jp\n"
SUMMARY = {
    "name": "customers",
    "tenant": "default",
    "rows": 2,
    "columns": [
        {"name": "会員番号", "type": "number", "left_out": 0},
        {"name": "氏名", "type": "name", "left_out": 0},
        {"name": "電話番号", "type": "phone", "left_out": 0},
        {"name": "メール", "type": "email", "left_out": 0},
    ],
    "key_columns": [],
    "least_rows": 5,
    "least_fields": 3,
}


@pytest.fixture(name="file")
def _file(folder):
    (folder / "Customers.csv").write_text(TEXT, encoding="cp932")
    return folder / "Customers.csv"


@pytest.fixture(name="lists")
def _lists(folder):
    key = Keys.open(folder / "var/keys/hold.key").derived(PURPOSE)
    return lambda: ExactLists.open(folder / "var/dlp", key)[0]


def test_index_list_remove(sekisho, folder, file, lists):
    done = sekisho("dlp", "index", file, "--json", "--column", "電話番号=phone")
    (told,) = done.objects
    assert (done.status, told["encoding"], told["unreadable"]) == (0, "cp932", {"電話番号": {"count": 1, "line": 3}})
    assert {key: told[key] for key in SUMMARY} == SUMMARY
    path = folder / "var/dlp/default/customers.idx"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.head.name for one in lists().of("default")] == ["customers"]
    (shown,) = sekisho("dlp", "list", "--json").objects
    assert {key: shown[key] for key in SUMMARY} == SUMMARY
    assert "氏名 (name)" in sekisho("dlp", "list").out
    assert sekisho("dlp", "list", "--tenant", "default", "--json").objects == [shown]
    assert sekisho("dlp", "remove", "customers").status == 0
    assert list(path.parent.iterdir()) == []
    assert sekisho("dlp", "remove", "customers").status == 3


def test_made_anew(sekisho, file, lists):
    sekisho("dlp", "index", file, "--column", "電話番号=phone")
    before = lists()
    done = sekisho(
        "dlp",
        "index",
        file,
        "--column",
        "電話番号=ignore",
        "--rows",
        "9",
        "--fields",
        "2",
        "--key-columns",
        "会員番号,メール",
    )
    assert done.status == 0
    assert before.changed()
    head = lists().of("default")[0].head
    assert (head.least_rows, head.least_fields, head.key_columns, len(head.columns)) == (9, 2, (0, 2), 3)


def test_progress_and_notes(sekisho, folder):
    (folder / "big.tsv").write_text(as_csv(people(50_000)).replace(",", "\t"))
    done = sekisho("dlp", "index", "big.tsv", "--name", "staff")
    assert "50,000 rows\n" in done.err
    assert "staff: 50,000 rows of big.tsv (utf-8) in" in done.out
    (folder / "two.csv").write_text("氏名,メール\n山田 太郎,t@example.jp\n")
    assert (
        "With 2 columns that count (all names of a row are one), only 5 rows or more are found."
        in sekisho("dlp", "index", "two.csv").out
    )


def test_no_headings(sekisho, folder, lists):
    (folder / "x.csv").write_text("山田 太郎,090-1234-5678,t@example.jp\n")
    done = sekisho("dlp", "index", "x.csv")
    assert (done.status, "--no-headings" in done.err) == (2, True)
    assert sekisho("dlp", "index", "x.csv", "--no-headings").status == 0
    assert [c.type for c in lists().of("default")[0].head.columns] == ["name", "phone", "email"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (
            ["Customers.csv", "--encoding", "utf-8"],
            2,
            "Customers.csv: line 1 is not utf-8; say what it is with --encoding",
        ),
        (["Customers.csv", "--name", "Übel/../x"], 2, "cannot be a list's name"),
        (["Customers.csv", "--tenant", "nobody"], 2, "no tenant 'nobody'"),
        (["Customers.csv", "--column", "電話=phone"], 2, 'Customers.csv: there is no column "電話"'),
        (["Customers.csv", "--column", "電話番号=telefon"], 2, "expected HEADING=TYPE"),
        (
            ["Customers.csv", "--column", "氏名=date"],
            2,
            'Customers.csv:2: column "氏名": 2 of 2 values cannot be read as date',
        ),
        (["Customers.csv", "--fields", "1"], 2, "--fields: must be a number, 2 or more"),
        (["Customers.csv", "--rows", "0"], 2, "--rows: must be a number, 1 or more"),
        (["Customers.csv", "--rows", "x"], 2, "--rows: must be a number, 1 or more"),
        (["Customers.csv", "--key-columns", "氏名", "--column", "氏名=ignore"], 2, 'column "氏名" is ignored'),
        (["Customers.csv", "--encoding", "utf-16"], 2, "utf-16-le or utf-16-be"),
        (["Customers.csv", "--encoding", "rot13"], 2, 'no encoding called "rot13"'),
        (["Customers.csv", "--encoding", "hex"], 2, 'no encoding called "hex"'),
        (["Customers.csv", "--encoding", "base64"], 2, 'no encoding called "base64"'),
        (["Customers.csv", "--encoding", "zlib"], 2, 'no encoding called "zlib"'),
        (["Customers.csv", "--encoding", "undefined"], 2, "cannot be read as undefined"),
        (["pipe.csv"], 2, "pipe.csv: is a pipe"),
        (["missing.csv"], 3, "missing.csv: No such file"),
    ],
)
@pytest.mark.usefixtures("file")
def test_what_is_wrong_is_said(sekisho, folder, arguments, status, told):
    os.mkfifo(folder / "pipe.csv")
    done = sekisho("dlp", "index", *arguments)
    assert (done.status, told in done.err) == (status, True), done.err
    assert not list((folder / "var/dlp").glob("*/*"))
    assert "山田" not in done.err


def test_a_list_that_cannot_be_used(sekisho, folder, file):
    sekisho("dlp", "index", file)
    (folder / "var/dlp/default/other.idx").write_bytes(b"x")
    done = sekisho("dlp", "list", "--json")
    assert (done.status, len(done.objects), "other.idx: is no list" in done.err) == (1, 1, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_is_for_the_gateway(sekisho, folder, file):
    (folder / "var").mkdir(mode=0o700)
    os.chown(folder / "var", 12345, 12345)
    assert sekisho("dlp", "index", file).status == 0
    made = list((folder / "var").rglob("*"))
    assert {path.name for path in made} >= {"dlp", "default", "customers.idx", "keys", "hold.key"}
    assert {path.stat().st_uid for path in made} == {12345}


def test_names_and_their_kana_are_one_column(sekisho, folder):
    (folder / "x.csv").write_text("氏名,フリガナ,メール\n山田 太郎,ヤマダ タロウ,t@example.jp\n")
    assert "With 2 columns that count" in sekisho("dlp", "index", "x.csv").out


@pytest.mark.parametrize("tenant", ["nobody", "/etc", "*", ""])
def test_a_tenant_that_is_not_there(sekisho, tenant):
    for arguments in (("list",), ("remove", "x")):
        done = sekisho("dlp", *arguments, "--tenant", tenant)
        assert (done.status, f"no tenant {tenant!r}" in done.err) == (2, True)


def test_what_only_reads_makes_nothing(sekisho, folder):
    assert sekisho("dlp", "list").out == "no lists\n"
    assert sekisho("dlp", "remove", "customers").status == 3
    assert not (folder / "var").exists()


def test_a_lost_key_is_named(sekisho, folder, file):
    sekisho("dlp", "index", file)
    (folder / "var/keys/hold.key").unlink()
    done = sekisho("dlp", "list")
    assert (done.status, "hold.key: No such file" in done.err) == (3, True)
    assert not (folder / "var/keys/hold.key").exists()


@pytest.mark.parametrize("tenant", ["../../evil", "..", ".", "/etc", "a/b", "", "店舗"])
def test_a_tenant_of_any_name_has_a_folder_of_its_own(sekisho, folder, file, tenant):
    (folder / "sekisho.toml").write_text(f'[tenant.default]\n[tenant."{tenant}"]\n')
    before = set(folder.rglob("*"))
    assert sekisho("dlp", "index", file).status == 0
    assert sekisho("dlp", "index", file, "--tenant", tenant).status == 0
    made = [path for path in set(folder.rglob("*")) - before if path.suffix == ".idx"]
    assert len({path.parent for path in made}) == 2
    assert {path.parent.parent for path in made} == {folder / "var/dlp"}
    assert not (folder.parent / "evil").exists()
    shown = sekisho("dlp", "list", "--tenant", tenant, "--json").objects
    assert [one["tenant"] for one in shown] == [tenant]
    assert len(sekisho("dlp", "list", "--json").objects) == 2
    assert sekisho("dlp", "remove", "customers", "--tenant", tenant).status == 0
    assert [one["tenant"] for one in sekisho("dlp", "list", "--json").objects] == ["default"]
