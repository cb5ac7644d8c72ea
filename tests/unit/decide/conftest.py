"""Policies from TOML text through the real loader, and messages as facts."""

import pytest

from sekisho.config.settings import TenantSettings
from sekisho.decide.load import load_policy
from sekisho.decide.match import Facts
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Finding, Severity

INSIDE = frozenset({"corp.example", ".corp.example"})


@pytest.fixture
def load(tmp_path):
    """load(own, parent, builtin, groups, parent_groups) -> (policy or None, problems) of the tenant "own"."""

    def _load(own="", parent=None, builtin=None, *, groups=None, parent_groups=None, known_ids=None):
        for name, text in (("own", own), ("parent", parent or ""), ("builtin", builtin or "")):
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        tenants = {
            "own": TenantSettings(
                policy=("own.toml",),
                parent="msp" if parent is not None else "",
                builtin_policy=builtin is not None,
                groups=groups or {},
            ),
            "msp": TenantSettings(policy=("parent.toml",), groups=parent_groups or {}),
        }
        return load_policy("own", tenants, tmp_path, tmp_path / "builtin.toml", known_ids)

    return _load


@pytest.fixture
def policy(load):
    """As `load`, for policies without problems."""

    def _policy(*args, **kwargs):
        compiled, problems = load(*args, **kwargs)
        assert [str(p) for p in problems] == []
        return compiled

    return _policy


@pytest.fixture
def message():
    """message(*findings, to=…, sender=…, account=…, listener=…, client_ip=…) -> Facts."""

    def _message(*findings, to=("hanako@out.example",), sender="taro@corp.example", **session):
        return Facts(
            Session("s1", session.pop("client_ip", "192.0.2.1"), **session),
            Envelope(sender, tuple(Recipient(r) for r in to)),
            findings,
            INSIDE,
        )

    return _message


@pytest.fixture
def seen():
    """seen(id, severity, confidence, count, **others) -> Finding."""

    def _seen(rule, severity="medium", confidence=0.9, count=1, **others):
        return Finding(rule, Severity.of(severity), confidence, count, **others)

    return _seen
