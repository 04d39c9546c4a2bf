"""What a customer may allow."""

from wire_protocol import consent, purposes


def test_there_is_one_list_of_purposes() -> None:
    """Consents, notices and hand-overs speak of the same."""
    assert consent.Purpose is purposes.Purpose
    assert {*purposes.Purpose} == {"training", "evaluation"}
