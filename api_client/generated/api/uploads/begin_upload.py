from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.problem import Problem
from ...models.upload_request import UploadRequest
from ...models.upload_ticket import UploadTicket
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    body: UploadRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["idempotency-key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/uploads",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Problem | UploadTicket | None:
    if response.status_code == 200:
        response_200 = UploadTicket.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = UploadTicket.from_dict(response.json())

        return response_201

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

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
) -> Response[Problem | UploadTicket]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: UploadRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> Response[Problem | UploadTicket]:
    """Get a one-time signed URL

     A URL for one PUT of exactly this picture, good for a minute at most.

    A picture is small: there are no multipart uploads. The original should be scaled down before it is
    sent;
    the model looks at 160 by 160 pixels.

    Args:
        idempotency_key (None | str | Unset): the same key and body lead to the same upload
        body (UploadRequest): One picture that will be uploaded.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | UploadTicket]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: UploadRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> Problem | UploadTicket | None:
    """Get a one-time signed URL

     A URL for one PUT of exactly this picture, good for a minute at most.

    A picture is small: there are no multipart uploads. The original should be scaled down before it is
    sent;
    the model looks at 160 by 160 pixels.

    Args:
        idempotency_key (None | str | Unset): the same key and body lead to the same upload
        body (UploadRequest): One picture that will be uploaded.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | UploadTicket
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: UploadRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> Response[Problem | UploadTicket]:
    """Get a one-time signed URL

     A URL for one PUT of exactly this picture, good for a minute at most.

    A picture is small: there are no multipart uploads. The original should be scaled down before it is
    sent;
    the model looks at 160 by 160 pixels.

    Args:
        idempotency_key (None | str | Unset): the same key and body lead to the same upload
        body (UploadRequest): One picture that will be uploaded.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Problem | UploadTicket]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: UploadRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> Problem | UploadTicket | None:
    """Get a one-time signed URL

     A URL for one PUT of exactly this picture, good for a minute at most.

    A picture is small: there are no multipart uploads. The original should be scaled down before it is
    sent;
    the model looks at 160 by 160 pixels.

    Args:
        idempotency_key (None | str | Unset): the same key and body lead to the same upload
        body (UploadRequest): One picture that will be uploaded.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Problem | UploadTicket
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
