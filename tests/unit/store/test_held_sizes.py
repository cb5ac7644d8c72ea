"""What kept messages take on disk, by tenant."""

from contextlib import closing

import pytest

from sekisho.mail.kept import StoreAwayError
from sekisho.store.audit import micros
from sekisho.store.connection import connect
from sekisho.store.held import HeldRows
from sekisho.store.held_sizes import HeldSizes
from sekisho.store.keys import Keys
from sekisho.store.migrate import ensure_schema


@pytest.fixture(name="keep")
def _keep(tmp_path, make_kept):
    ensure_schema(tmp_path / "sekisho.db")
    rows = HeldRows(Keys.open(tmp_path / "hold.key"), "mine")
    (tmp_path / "held").mkdir()

    def keep(kept_id, octets, **more):
        kept = make_kept(kept_id, **more)
        with closing(connect(tmp_path / "sekisho.db")) as opened:
            rows.insert(opened, kept, rows.sealed(kept), micros(kept.received_at))
            opened.commit()
        if octets is not None:
            (tmp_path / "held" / kept_id).write_bytes(bytes(octets))

    return keep


def test_by_tenant_and_only_what_waits(tmp_path, keep):
    sizes = HeldSizes(tmp_path)
    keep("k1", 100, tenant="a")
    keep("k2", 50, tenant="a")
    keep("k3", 7, tenant="b")
    keep("k4", 1000, tenant="b", state="released")
    keep("k5", None, tenant="b")
    assert dict(sizes.read()) == {"a": 150, "b": 7}
    with closing(connect(tmp_path / "sekisho.db")) as opened:
        opened.execute("DELETE FROM kept WHERE id = 'k2'")
        opened.commit()
    assert dict(sizes.read()) == {"a": 100, "b": 7}


def test_no_database(tmp_path):
    with pytest.raises(StoreAwayError):
        HeldSizes(tmp_path).read()
