"""Ids are unique and sort by time."""

import re

from sekisho.mail.ids import new_id


def test_form_and_uniqueness():
    ids = [new_id() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9abcdefghjkmnpqrstvwxyz]{16}", id_) for id_ in ids)


def test_later_ids_sort_later():
    first = new_id()[:9]
    while (later := new_id()[:9]) == first:
        pass
    assert later > first
