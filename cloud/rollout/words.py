"""Numbers as people say them."""


def many(number: int, what: str) -> str:
    """`1 register`, `2 registers`."""
    return f"1 {what}" if number == 1 else f"{number} {what}s"
