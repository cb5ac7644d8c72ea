"""Which tenant a client is, and what a tenant has from its parents."""

from sekisho.config.settings import (
    DkimSettings,
    LearningSettings,
    ListenerSettings,
    NextHopSettings,
    NoticeSettings,
    Settings,
    TenantSettings,
)
from sekisho.config.tenants import TenantFinder, inherited, lineage

HOP = NextHopSettings(hosts=("a",))
KEY = DkimSettings(domain="example.com", selector="s", private_key="k")
LISTENER = ListenerSettings(name="relay", address="127.0.0.1:25", tenant="rest")
SETTINGS = Settings(
    tenant={
        "msp": TenantSettings(next_hop=(HOP,), dkim=(KEY,), notice=NoticeSettings(language="ja")),
        "company": TenantSettings(parent="msp", client_networks=("10.0.0.0/8",)),
        "branch": TenantSettings(parent="company", dkim=(), client_networks=("10.1.0.0/16", "2001:db8::/32")),
        "rest": TenantSettings(),
    }
)


def test_the_nearest_parent_that_has_it():
    branch = inherited(SETTINGS, "branch")
    assert (branch.next_hop, branch.dkim, branch.notice.language) == ((HOP,), (KEY,), "ja")
    assert inherited(SETTINGS, "rest").next_hop == ()


def test_the_smallest_network_wins():
    find = TenantFinder(SETTINGS)
    assert find("10.1.2.3", LISTENER) == "branch"
    assert find("10.2.2.3", LISTENER) == "company"
    assert find("::ffff:10.1.2.3", LISTENER) == "branch"
    assert find("2001:db8::1", LISTENER) == "branch"
    assert find("192.0.2.1", LISTENER) == "rest"


def test_ones_own_comes_before_the_parents():
    own = NextHopSettings(hosts=("b",))
    settings = Settings(
        tenant={**SETTINGS.tenant, "own": TenantSettings(parent="msp", next_hop=(own,), domains=("own.example",))}
    )
    tenant = inherited(settings, "own")
    assert (tenant.next_hop, tenant.dkim, tenant.domains) == ((own,), (KEY,), ("own.example",))
    assert inherited(settings, "msp").domains == ()  # domains, policy and networks are nobody else's


def test_no_notice_of_ones_own_or_of_a_parent_is_the_default():
    assert inherited(SETTINGS, "rest").notice == NoticeSettings()


def test_what_reviewers_teach_is_limited_as_by_the_nearest_parent_that_says():
    stricter = LearningSettings(least_decisions=20)
    settings = Settings(
        tenant={
            "msp": TenantSettings(learning=stricter),
            "one": TenantSettings(parent="msp"),
            "rest": TenantSettings(),
        }
    )
    assert inherited(settings, "one").learning == stricter
    assert inherited(settings, "rest").learning == LearningSettings()


def test_lineage_goes_from_the_tenant_up():
    assert list(lineage(SETTINGS, "branch")) == [SETTINGS.tenant[name] for name in ("branch", "company", "msp")]
