"""The states of uploads that clients wait for: one statement for a tenant, on SQLite for all of them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, or_, select

from cloud.database.engine import Database
from cloud.database.schema import uploads
from cloud.intake.values import UploadState
from cloud.public_api.answers import Upload

_row = uploads.c


def states_of(
    database: Database, waited_for: Mapping[str, Sequence[bytes]]
) -> dict[Upload, UploadState | None]:
    """What became of these requests, by tenant and request; None for one that is not there any more.

    At most `answers.WAITING_MAX` are asked for, within what both databases take as values of one statement.

    Raises:
        DatabaseAway: The database does not answer.
    """
    found: dict[Upload, UploadState | None] = {
        (tenant, request): None for tenant, requests in waited_for.items() for request in requests
    }
    if not found:
        return found
    with database.system(read_only=True) as connection:
        if database.is_sqlite:
            found |= _read(connection, waited_for)
            return found
        for tenant, requests in waited_for.items():
            database.enter(connection, tenant)
            found |= _read(connection, {tenant: requests})
    return found


def _read(connection: Connection, asked: Mapping[str, Sequence[bytes]]) -> dict[Upload, UploadState]:
    statement = select(_row.tenant, _row.request, _row.state).where(
        or_(*(and_(_row.tenant == tenant, _row.request.in_(requests)) for tenant, requests in asked.items()))
    )
    return {
        (tenant, bytes(request)): UploadState(state)
        for tenant, request, state in connection.execute(statement)
    }
