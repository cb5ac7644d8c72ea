from support.listed import KEY, listed

from sekisho.inspect.exact.lists import ExactLists

TEXT = "氏名,電話番号,メール\n山田 太郎,03-1234-5678,t@example.jp\n"


def names(lists, tenant):
    return [one.head.name for one in lists.of(tenant)]


def test_by_tenant(tmp_path):
    listed(tmp_path, TEXT, "a")
    listed(tmp_path, TEXT, "b")
    listed(tmp_path, TEXT, "c", tenant="other")
    lists, problems = ExactLists.open(tmp_path / "lists", KEY)
    assert problems == []
    assert (names(lists, "default"), names(lists, "other"), names(lists, "third")) == (["a", "b"], ["c"], [])
    assert lists.states[0] == {"kind": "list", "name": "a", "tenant": "default", "rows": 1}


def test_no_directory(tmp_path):
    lists, problems = ExactLists.open(tmp_path / "none", KEY)
    assert (lists.of("default"), problems, lists.changed()) == ((), [], False)


def test_one_bad_list_does_not_take_the_others_along(tmp_path):
    listed(tmp_path, TEXT, "a")
    listed(tmp_path, TEXT, "b", key=bytes(32))
    (tmp_path / "lists/default/c.idx").write_bytes(b"")
    (tmp_path / "lists/default/d.idx").mkdir()
    (tmp_path / "lists/default/.half.idx").write_bytes(b"x")
    lists, problems = ExactLists.open(tmp_path / "lists", KEY)
    assert names(lists, "default") == ["a"]
    assert [problem.file.rpartition("/")[2] for problem in problems] == ["b.idx", "c.idx", "d.idx"]


def test_changed(tmp_path):
    lists, _ = ExactLists.open(tmp_path / "lists", KEY)
    listed(tmp_path, TEXT)
    assert lists.changed()
    lists, _ = ExactLists.open(tmp_path / "lists", KEY)
    assert not lists.changed()
    (tmp_path / "lists/default/customers.idx").unlink()
    assert lists.changed()


def test_what_a_list_wants(tmp_path):
    listed(tmp_path, TEXT)
    listed(tmp_path, "氏名,会社名,備考\n山田 太郎,サンプル商事,特になし事項\n", "texts")
    (customers, texts) = ExactLists.open(tmp_path / "lists", KEY)[0].of("default")
    assert (customers.phrases_alone, customers.least_told, customers.wanted.emails) == (False, 2, True)
    assert (texts.phrases_alone, texts.wanted.emails) == (True, False)
    assert customers.starts("c山田") == 1 << 3
    assert customers.starts("c山本") == 0
