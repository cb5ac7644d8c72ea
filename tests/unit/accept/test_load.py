"""What is refused for the machine's sake, and that it ends by itself."""

from sekisho.accept.load import Load, Measured

GB = 1 << 30


def test_a_late_loop():
    load = Load()
    load.observe(Measured(lag=1.5, disk=100 * GB, free=50 * GB))
    assert load.late
    assert load.mail_refusal() is None
    load.observe(Measured(lag=3.0, disk=100 * GB, free=50 * GB))
    assert (load.mail_refusal().code, load.mail_refusal().enhanced) == (451, "4.3.2")
    assert "late" in load.trouble()
    for _ in range(10):
        load.observe(Measured(lag=0.0, disk=100 * GB, free=50 * GB))
    assert not load.late
    assert load.mail_refusal() is None
    assert load.trouble() == ""


def test_a_disk_that_fills():
    load = Load()
    load.observe(Measured(free=100_000_000, disk=100 * GB))
    assert (load.mail_refusal().code, load.mail_refusal().enhanced) == (452, "4.3.1")
    assert "free on the disk" in load.trouble()
    load.observe(Measured(free=GB, disk=100 * GB))
    assert load.mail_refusal() is None


def test_of_a_small_disk_a_twentieth():
    load = Load()
    load.observe(Measured(free=60_000_000, disk=GB))
    assert load.mail_refusal() is None
    load.observe(Measured(free=50_000_000, disk=GB))
    assert load.mail_refusal().code == 452


def test_what_a_process_has_too_much_is_taken_off():
    load = Load()
    load.observe(Measured(process=2 * GB, allowed=3 * GB))
    assert load.memory_for_mail(512, 400) == 512
    load.observe(Measured(process=3 * GB + 100, allowed=3 * GB))
    assert load.memory_for_mail(512, 400) == 300
    assert load.memory_for_mail(512, 0) == 32
    assert "memory" in load.trouble()


def test_unbounded():
    load = Load()
    load.observe(Measured(process=100 * GB, allowed=0))
    assert not load.heavy
