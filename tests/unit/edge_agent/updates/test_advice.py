"""Every reason has its remedy, and `docs/updater.md` says the same."""

from pathlib import Path

from edge_agent.updates.advice import ADVICE
from wire_protocol.fleet_messages import UpdateReason

PAGE = Path(__file__).parents[4] / "docs" / "updater.md"


def test_every_reason_has_advice() -> None:
    """Fail closed would be silent otherwise."""
    assert set(ADVICE) == set(UpdateReason)


def test_the_page_says_the_same() -> None:
    """The table of the page is the table of the code."""
    rows = [
        f"| `{reason}` | {'tries again' if advice.passes else 'refused'} | {advice.remedy} |"
        for reason, advice in ADVICE.items()
    ]
    page = PAGE.read_text("utf-8")
    assert [row for row in rows if row not in page] == []
