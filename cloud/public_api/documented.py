"""What a route's description says of its refusals, made of the closed list of problems."""

from typing import Any, Final

from cloud.public_api.problems import MEDIA_TYPE, PROBLEMS

SIGNED_IN: Final = ("not-authenticated", "bad-token", "not-genuine", "provider-away")
"""Of every route that asks who calls; `openapi` adds them by itself."""
EVERYWHERE: Final = ("malformed", "unknown-chain", "too-many-requests", "not-ready", "internal")
"""Of every route; `openapi` adds them by itself."""


def refusals(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that may refuse so: one answer a status, one example a problem.

    Raises:
        KeyError: A slug is none of the list.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for slug in sorted(slugs, key=list(PROBLEMS).index):
        kind = PROBLEMS[slug]
        entry = found.setdefault(
            kind.status,
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}},
                },
            },
        )
        entry["description"] += (". " if entry["description"] else "") + f"`{slug}`: {kind.title}"
        entry["content"][MEDIA_TYPE]["examples"][slug] = {"value": kind("…").document()}
    return found
