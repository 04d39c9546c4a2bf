"""Two models on one picture."""

from edge_agent.updates.shadow import Comparison


def test_agreement_is_counted_by_flavour() -> None:
    """The same first; the same three in any order; errors apart."""
    compared = Comparison(7, "a" * 64)
    compared.compare(("mango", "mint", "lemon"), ("mango", "lemon", "mint"), 1.0)
    compared.compare(("mango", "mint", "lemon"), ("mint", "mango", "cherry"), 2.0)
    compared.compare((), (), 3.0)
    compared.failed()
    found = compared.figures()
    assert (found.release, found.compared, found.same_first, found.same_three, found.errors) == (
        7,
        3,
        2,
        2,
        1,
    )
    assert found.p99_ms > 2.9
