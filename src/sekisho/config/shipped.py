"""Where the rules and the policy that come with Sekisho lie: inside an installed wheel, or at the top of a clone."""

from pathlib import Path

import sekisho


def shipped(name: str) -> Path:
    """The file or folder "rules" or "policy/default.toml" that comes with this version."""
    package = Path(sekisho.__file__).parent
    in_wheel = package / "data" / name
    return in_wheel if in_wheel.exists() else package.parents[1] / name
