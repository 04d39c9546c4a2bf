from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.menu_answer import MenuAnswer
from ...models.problem import Problem
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    language: None | str | Unset = UNSET,
    accept_language: None | str | Unset = UNSET,
    if_none_match: None | str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(accept_language, Unset):
        headers["accept-language"] = accept_language

    if not isinstance(if_none_match, Unset):
        headers["if-none-match"] = if_none_match

    params: dict[str, Any] = {}

    json_language: None | str | Unset
    if isinstance(language, Unset):
        json_language = UNSET
    else:
        json_language = language
    params["language"] = json_language

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/menu",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | MenuAnswer | Problem | None:
    if response.status_code == 200:
        response_200 = MenuAnswer.from_dict(response.json())

        return response_200

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
) -> Response[Any | MenuAnswer | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    language: None | str | Unset = UNSET,
    accept_language: None | str | Unset = UNSET,
    if_none_match: None | str | Unset = UNSET,
) -> Response[Any | MenuAnswer | Problem]:
    """Get Menu

     Get the flavours that the chain's model knows.

    Args:
        language (None | str | Unset): Such as `de`; without it, as Accept-Language says
        accept_language (None | str | Unset):
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | MenuAnswer | Problem]
    """

    kwargs = _get_kwargs(
        language=language,
        accept_language=accept_language,
        if_none_match=if_none_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    language: None | str | Unset = UNSET,
    accept_language: None | str | Unset = UNSET,
    if_none_match: None | str | Unset = UNSET,
) -> Any | MenuAnswer | Problem | None:
    """Get Menu

     Get the flavours that the chain's model knows.

    Args:
        language (None | str | Unset): Such as `de`; without it, as Accept-Language says
        accept_language (None | str | Unset):
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | MenuAnswer | Problem
    """

    return sync_detailed(
        client=client,
        language=language,
        accept_language=accept_language,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    language: None | str | Unset = UNSET,
    accept_language: None | str | Unset = UNSET,
    if_none_match: None | str | Unset = UNSET,
) -> Response[Any | MenuAnswer | Problem]:
    """Get Menu

     Get the flavours that the chain's model knows.

    Args:
        language (None | str | Unset): Such as `de`; without it, as Accept-Language says
        accept_language (None | str | Unset):
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | MenuAnswer | Problem]
    """

    kwargs = _get_kwargs(
        language=language,
        accept_language=accept_language,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    language: None | str | Unset = UNSET,
    accept_language: None | str | Unset = UNSET,
    if_none_match: None | str | Unset = UNSET,
) -> Any | MenuAnswer | Problem | None:
    """Get Menu

     Get the flavours that the chain's model knows.

    Args:
        language (None | str | Unset): Such as `de`; without it, as Accept-Language says
        accept_language (None | str | Unset):
        if_none_match (None | str | Unset): ETag of what you have; 304 where it holds

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | MenuAnswer | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            language=language,
            accept_language=accept_language,
            if_none_match=if_none_match,
        )
    ).parsed
