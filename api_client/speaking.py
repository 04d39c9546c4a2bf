"""Calls of the generated client, and answers that are what they should be."""

from collections.abc import Callable
from typing import TypeVar

from api_client.errors import not_ours

Answer = TypeVar("Answer")


def expect(kind: type[Answer], call: Callable[[], object], *or_kinds: type[Answer]) -> Answer:
    """What the call answers, of this kind (or of these).

    Raises:
        ApiError: What the transport raised; `not-ours` for an answer of another kind or form.
    """
    try:
        answer = call()
    # The generated parsers raise these for a document of another form.
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_ours(f"{type(error).__name__} while reading it as {kind.__name__}") from error
    for one in (kind, *or_kinds):
        if isinstance(answer, one):
            return answer
    raise not_ours(f"no {kind.__name__}")
