"""Having one upload erased, and how far an erasure is: whoever holds its proof may ask, logged in or not."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cloud.privacy.person_records import read_proof
from cloud.public_api.desk import AtDesk
from cloud.public_api.documented import refusals
from cloud.public_api.erasing import PROOF_BYTES
from cloud.public_api.problems import problem
from cloud.public_api.request_ids import AtRequest, maybe_instant
from cloud.public_api.scopes import AtCaller
from cloud.public_api.tenants import AtTenant
from cloud.public_api.times import rfc3339

router = APIRouter(prefix="/v1", tags=["me"])

_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015"


class ErasureBegun(BaseModel):
    """The proof of an erasure."""

    proof: str = Field(
        description="keep it: it names nobody, and it is all that is left", examples=[_EXAMPLE]
    )
    status: str = Field(description="where to see how far it is", examples=[f"/v1/erasures/{_EXAMPLE}"])


class Counts(BaseModel):
    """How much went."""

    uploads: int
    recommendations: int
    outcomes: int
    consents: int = Field(description="withdrawn, with the pictures that were kept under them")
    sessions: int


class Erasure(BaseModel):
    """How far an erasure is; nothing here is about a person."""

    proof: str = Field(examples=[_EXAMPLE])
    state: Literal["running", "done"]
    asked_at: str = Field(description="RFC 3339; from here on nothing of it can be asked for")
    counts: Counts
    waiting: int = Field(description="consents whose pictures are not deleted yet")
    nobody_opens_since: str | None = Field(description="no kept picture opens, wherever a copy lies")
    online_copies_gone: str | None = Field(description="no copy is left on a running system")
    last_backup_gone: str | None = Field(description="nor in a backup, by then")


@router.delete(
    "/uploads/{request_id}",
    summary="Take an upload and its consent back",
    tags=["uploads"],
    responses=refusals("not-found"),
)
def erase_upload(desk: AtDesk, caller: AtCaller, request_id: AtRequest) -> ErasureBegun:
    """Picture, recommendation and consent; again, it changes nothing and answers the same."""
    return begun(desk.erasing.upload(caller, request_id))


@router.get("/erasures/{proof}", summary="How far an erasure is", responses=refusals("not-found"))
def get_erasure(desk: AtDesk, tenant: AtTenant, proof: str) -> Erasure:
    """Needs no login: the proof is all that is left of who holds it."""
    try:
        wanted = bytes.fromhex(proof)
    except ValueError:
        wanted = b""
    found = None
    if len(wanted) == PROOF_BYTES:
        with desk.database.tenant(tenant, read_only=True) as connection:
            found = read_proof(connection, tenant, wanted, desk.now_ms())
    if found is None:
        raise problem("not-found", "there is no such proof in this chain")
    progress = found.progress
    return Erasure(
        proof=found.proof.hex(),
        state="done" if progress.done else "running",
        asked_at=rfc3339(found.at_ms),
        counts=Counts(**found.counts),
        waiting=progress.waiting,
        nobody_opens_since=maybe_instant(progress.nobody_opens_since_ms),
        online_copies_gone=maybe_instant(progress.online_copies_gone_ms),
        last_backup_gone=maybe_instant(progress.last_backup_gone_ms),
    )


def begun(proof: bytes) -> ErasureBegun:
    """The answer that hands a proof out."""
    return ErasureBegun(proof=proof.hex(), status=f"/v1/erasures/{proof.hex()}")
