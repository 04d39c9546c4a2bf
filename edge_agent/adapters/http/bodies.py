"""Reading request bodies: JSON only, strict, and every fault told in the same words."""

from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from edge_agent.adapters.http import schemas
from edge_agent.adapters.http.problems import MEDIA_TYPE, Problem

Body = TypeVar("Body", bound=BaseModel)


async def read(request: Request, model: type[Body]) -> Body:
    """The body as `model`.

    Raises:
        Problem: The content type is not JSON.
        ValidationError: It is no JSON, or not of this shape; answered with 422.
    """
    raw = await request.body()
    check_content_type(request)
    return model.model_validate_json(raw)


def check_content_type(request: Request) -> None:
    """Refuse what a plain HTML form could send: a page cannot send JSON without asking first (CORS).

    Raises:
        Problem: Another content type than JSON.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "json-expected",
            "The body is not declared as JSON.",
            remedy="Send `Content-Type: application/json`.",
        )


def described(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` of an operation whose body is read by `read`."""
    return {"requestBody": {"required": required, "content": {"application/json": _schema(model)}}}


def answers(
    good: dict[int, tuple[str, type[BaseModel] | None]], *bad: tuple[HTTPStatus, str]
) -> dict[int | str, dict[str, Any]]:
    """`responses` of an operation: its good answers, its own problems, and those of every operation.

    Schemas are named only; `app` adds them when somebody asks for the description. Built for each operation
    at the start, they would cost the agent a tenth of its memory.
    """
    responses: dict[int | str, dict[str, Any]] = {}
    for status, (description, model) in good.items():
        responses[status] = {"description": description}
        if model is not None:
            responses[status]["content"] = {"application/json": _schema(model)}
    for problem_status, description in [*bad, (HTTPStatus.FORBIDDEN, "Foreign Host or Origin")]:
        responses[int(problem_status)] = {
            "description": description,
            "content": {MEDIA_TYPE: _schema(schemas.ProblemAnswer)},
        }
    return responses


def _schema(model: type[BaseModel]) -> dict[str, dict[str, str]]:
    return {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
