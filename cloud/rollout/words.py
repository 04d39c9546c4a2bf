"""Numbers as people say them."""


def many(number: int, what: str) -> str:
    """`1 register`, `2 registers`."""
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def part_of(number: int, whole: int, what: str, one: str, more: str) -> str:
    """`1 of 1 register is back`, `0 of 12 registers are back`: with the verb that fits.

    Args:
        number: How many of them.
        whole: Of how many.
        what: The thing, in the singular.
        one: What one of them does: `is back`.
        more: What several do: `are back`.
    """
    things = what if whole == 1 else f"{what}s"
    return f"{number:,} of {whole:,} {things} {one if 1 in {number, whole} else more}"
