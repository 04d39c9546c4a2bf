"""The numbered list of checks and the code that makes them name each other."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LISTED = re.compile(r"^(\d+)\. .*(?:RFC|Core|Discovery)", re.MULTILINE)
_MADE = re.compile(r"[Cc]heck (\d+)")
_REFUSED = re.compile(r"TokenRefused\(\s*(\d+),")


def _code() -> str:
    folders = [_ROOT / "cloud" / "identity", _ROOT / "cloud" / "public_api"]
    return "\n".join(path.read_text("utf-8") for folder in folders for path in sorted(folder.rglob("*.py")))


def test_every_check_of_the_list_is_made_and_every_check_is_listed() -> None:
    """Each with its section of a standard, in order, without a gap."""
    listed = [
        int(one) for one in _LISTED.findall((_ROOT / "docs" / "public-api-login.md").read_text("utf-8"))
    ]
    assert listed == list(range(1, len(listed) + 1))
    code = _code()
    assert {int(one) for one in _MADE.findall(code)} == set(listed)
    assert {int(one) for one in _REFUSED.findall(code)} <= set(listed)
