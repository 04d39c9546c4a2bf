from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.pending_answer import PendingAnswer
from ...models.problem import Problem
from ...models.recommendation_answer import RecommendationAnswer
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    request_id: str,
    *,
    wait: float | Unset = 0.0,
    if_none_match: None | str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["if-none-match"] = if_none_match

    params: dict[str, Any] = {}

    params["wait"] = wait

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/recommendations/{request_id}".format(
            request_id=quote(str(request_id), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | PendingAnswer | Problem | RecommendationAnswer | None:
    if response.status_code == 200:
        response_200 = RecommendationAnswer.from_dict(response.json())

        return response_200

    if response.status_code == 202:
        response_202 = PendingAnswer.from_dict(response.json())

        return response_202

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 421:
        response_421 = Problem.from_dict(response.json())

        return response_421

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | PendingAnswer | Problem | RecommendationAnswer]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    request_id: str,
    *,
    client: AuthenticatedClient,
    wait: float | Unset = 0.0,
    if_none_match: None | str | Unset = UNSET,
) -> Response[Any | PendingAnswer | Problem | RecommendationAnswer]:
    """Read Recommendation

     Get the three flavours of an upload, or learn how far it is.

    With `wait`, the answer comes as soon as there is one, and after so many seconds at the latest.

    Args:
        request_id (str): The `request_id` of the upload
        wait (float | Unset): Seconds to wait for it, if need be Default: 0.0.
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | PendingAnswer | Problem | RecommendationAnswer]
    """

    kwargs = _get_kwargs(
        request_id=request_id,
        wait=wait,
        if_none_match=if_none_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    request_id: str,
    *,
    client: AuthenticatedClient,
    wait: float | Unset = 0.0,
    if_none_match: None | str | Unset = UNSET,
) -> Any | PendingAnswer | Problem | RecommendationAnswer | None:
    """Read Recommendation

     Get the three flavours of an upload, or learn how far it is.

    With `wait`, the answer comes as soon as there is one, and after so many seconds at the latest.

    Args:
        request_id (str): The `request_id` of the upload
        wait (float | Unset): Seconds to wait for it, if need be Default: 0.0.
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | PendingAnswer | Problem | RecommendationAnswer
    """

    return sync_detailed(
        request_id=request_id,
        client=client,
        wait=wait,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    request_id: str,
    *,
    client: AuthenticatedClient,
    wait: float | Unset = 0.0,
    if_none_match: None | str | Unset = UNSET,
) -> Response[Any | PendingAnswer | Problem | RecommendationAnswer]:
    """Read Recommendation

     Get the three flavours of an upload, or learn how far it is.

    With `wait`, the answer comes as soon as there is one, and after so many seconds at the latest.

    Args:
        request_id (str): The `request_id` of the upload
        wait (float | Unset): Seconds to wait for it, if need be Default: 0.0.
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | PendingAnswer | Problem | RecommendationAnswer]
    """

    kwargs = _get_kwargs(
        request_id=request_id,
        wait=wait,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    request_id: str,
    *,
    client: AuthenticatedClient,
    wait: float | Unset = 0.0,
    if_none_match: None | str | Unset = UNSET,
) -> Any | PendingAnswer | Problem | RecommendationAnswer | None:
    """Read Recommendation

     Get the three flavours of an upload, or learn how far it is.

    With `wait`, the answer comes as soon as there is one, and after so many seconds at the latest.

    Args:
        request_id (str): The `request_id` of the upload
        wait (float | Unset): Seconds to wait for it, if need be Default: 0.0.
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | PendingAnswer | Problem | RecommendationAnswer
    """

    return (
        await asyncio_detailed(
            request_id=request_id,
            client=client,
            wait=wait,
            if_none_match=if_none_match,
        )
    ).parsed
