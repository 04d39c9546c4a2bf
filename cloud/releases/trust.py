"""The first trusted root of a chain's releases: where all belief in its repository begins."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection
from tuf.api import exceptions as tuf
from tuf.api.metadata import Metadata, Root

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.tenancy import trusted_root
from cloud.operations.tenants import known_tenant
from cloud.releases import rows
from cloud.releases.errors import AlreadyTrusted, BadRoot

ROOT_MAX_BYTES = 64 * 1024
"""Registers get it with each certificate."""


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """A root, in what people compare it by."""

    version: int
    keys: int
    threshold: int
    expires_at_ms: int
    sha256: str


def read_root(content: bytes) -> TrustedRoot:
    """What a root that signs itself says.

    Raises:
        BadRoot: It is none.
    """
    remedy = "Take 1.root.json of the chain's repository, as `topscoop model publish` wrote it."
    if len(content) > ROOT_MAX_BYTES:
        raise BadRoot(f"{len(content)} bytes are no root metadata", remedy=remedy)
    try:
        metadata = Metadata[Root].from_bytes(content)
        root = metadata.signed
        if root.type != Root.type:
            raise BadRoot(f"this is {root.type} metadata, no root", remedy=remedy)
        root.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    except tuf.RepositoryError as error:
        raise BadRoot(f"this is no signed root metadata: {error}", remedy=remedy) from error
    role = root.roles[Root.type]
    return TrustedRoot(
        root.version,
        len(role.keyids),
        role.threshold,
        int(root.expires.timestamp() * 1000),
        hashlib.sha256(content).hexdigest(),
    )


def trust_root(
    database: Database, tenant: str, content: bytes, now_ms: int, *, actor: str, replace: bool = False
) -> TrustedRoot:
    """Trust this root from now on; registers get it with their next certificate.

    Args:
        database: Of the cloud.
        tenant: The chain.
        content: The file.
        now_ms: Now.
        actor: Who says so.
        replace: Forget another root, and every version that was seen under it.

    Raises:
        BadRoot: The file is no root that signs itself.
        AlreadyTrusted: Another one is trusted, and `replace` was not said.
        UnknownTenant: No such chain.
        DatabaseAway: Nothing was changed.
    """
    root = read_root(content)
    known_tenant(database, tenant)
    with database.tenant(tenant) as connection:
        present = trusted_root(connection, tenant)
        if present == content:
            return root
        if present is not None and not replace:
            raise AlreadyTrusted(
                f"{tenant} trusts another root, SHA-256 {hashlib.sha256(present).hexdigest()}",
                remedy="Newer roots need no trust of their own: the chain's keys sign them. After a loss of "
                "all root keys: --replace, and every register must enrol again.",
            )
        rows.write_root(connection, tenant, content, now_ms)
        _audit(connection, tenant, root, now_ms, actor, replaced=present is not None)
    return root


def _audit(
    connection: Connection, tenant: str, root: TrustedRoot, now_ms: int, actor: str, *, replaced: bool
) -> None:
    write_audit(
        connection,
        tenant,
        now_ms,
        actor=actor,
        action="releases.root-trusted",
        subject=tenant,
        detail={"version": root.version, "sha256": root.sha256, "replaced": replaced},
    )
