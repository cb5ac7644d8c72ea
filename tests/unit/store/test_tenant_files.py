import pytest

from sekisho.store.tenant_files import TenantFiles, tenant_folder, tenant_of


class BadError(Exception):
    """A file that is none."""


def opener(path):
    content = path.read_bytes()
    if content.startswith(b"bad"):
        raise BadError("is bad")
    return [content]


def opened(files, **how):
    return files.again(opener, (BadError,), **how)


def shown(files):
    return {tenant: [content for (content,) in found] for tenant, found in files.by_tenant().items()}


@pytest.fixture
def files(tmp_path):
    for tenant, name, content in (("a", "x.f", b"1"), ("a", "y.f", b"2"), ("b", "x.f", b"3"), ("b", "other", b"4")):
        (tmp_path / "top" / tenant).mkdir(parents=True, exist_ok=True)
        (tmp_path / "top" / tenant / name).write_bytes(content)
    (tmp_path / "top" / "z.f").write_bytes(b"not a tenant's")
    return opened(TenantFiles(tmp_path / "top", lambda name: name.endswith(".f")))[0]


def replaced(path, content):
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name", ["default", "a-b_c.d", "..", ".", "", "%", "%2E", "../../x", "/etc", "店舗 1", "a\\b"]
)
def test_a_folder_for_each_name(tmp_path, name):
    folder = tenant_folder(tmp_path, name)
    assert (folder.parent, folder.resolve().parent) == (tmp_path, tmp_path)
    assert tenant_of(folder / "file") == name


def test_folders_of_plain_names_are_called_so(tmp_path):
    assert tenant_folder(tmp_path, "shop-1_a.b") == tmp_path / "shop-1_a.b"


def test_opened(files):
    assert shown(files) == {"a": [b"1", b"2"], "b": [b"3"]}
    assert not files.changed()


def test_only_what_changed_is_opened_again(tmp_path, files):
    replaced(tmp_path / "top/a/x.f", b"11")
    (tmp_path / "top/b/x.f").unlink()
    assert files.changed()
    again, problems = opened(files)
    assert (shown(again), problems, again.changed()) == ({"a": [b"11", b"2"]}, [], False)
    assert again.by_tenant()["a"][1] is files.by_tenant()["a"][1]
    assert opened(again, all_anew=True)[0].by_tenant()["a"][1] is not files.by_tenant()["a"][1]


def test_what_cannot_be_opened_stays_as_it_was_and_the_rest_is_taken(tmp_path, files):
    replaced(tmp_path / "top/a/x.f", b"bad")
    (tmp_path / "top/b/new.f").write_bytes(b"5")
    again, (problem,) = opened(files)
    assert shown(again) == {"a": [b"1", b"2"], "b": [b"5", b"3"]}
    assert str(problem) == f"{tmp_path / 'top/a/x.f'}: is bad"
    again, (problem,) = opened(again)  # it is tried again
    replaced(tmp_path / "top/a/x.f", b"good")
    again, problems = opened(again)
    assert (shown(again)["a"], problems) == ([b"good", b"2"], [])


def test_a_directory_that_cannot_be_listed_is_a_problem(tmp_path, files):
    (tmp_path / "top").rename(tmp_path / "away")
    (tmp_path / "top").write_bytes(b"in the way")
    assert files.changed()
    again, (problem,) = opened(files)
    assert (shown(again), problem.file) == (shown(files), str(tmp_path / "top"))
    (tmp_path / "top").unlink()
    assert opened(again)[1] == []
    assert shown(opened(again)[0]) == {}
