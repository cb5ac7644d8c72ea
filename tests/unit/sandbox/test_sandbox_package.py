import subprocess
import sys


def test_spawner_does_not_carry_the_gateway():
    """Every fork would copy what the spawner has loaded."""
    code = "import sys, sekisho.sandbox.spawner; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"asyncio", "uvloop", "ssl", "sqlite3", "sekisho.sandbox.sandbox"} & set(loaded)
    assert {
        name for name in loaded if name.startswith("sekisho.") and not name.startswith("sekisho.sandbox")
    } == set()
