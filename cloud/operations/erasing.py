"""Erasing from the command line: the keeper's own steps, with progress and the proof."""

import getpass
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

from cloud.clock import now_ms
from cloud.config import CloudConfig
from cloud.database.engine import open_database
from cloud.operations.tenants import known_tenant
from cloud.privacy.composition import open_objects, open_vault
from cloud.privacy.erasure import Eraser
from cloud.privacy.erasure_plan import Proof, Source, Step, proof_of
from cloud.privacy.errors import UnknownCode
from cloud.privacy.records import Records
from wire_protocol.consent import withdrawal_digest

_WORDS = {
    Step.LOGGED: "the erasure log has it",
    Step.KEY_DESTROYED: "its key is destroyed: nobody opens a copy from here on",
    Step.VERSION_DELETED: "deleted one version",
    Step.ERASED: "every version is deleted",
}


def consents_of_code(config: CloudConfig, tenant: str, code: str) -> list[bytes]:
    """The consents whose slips carry this code.

    Raises:
        UnknownCode: None has it.
    """
    with closing(open_database(config.database_url)) as database:
        database.check()
        known_tenant(database, tenant)
        found = Records(database).consents_of_code(tenant, code_digest(code))
    if not found:
        raise UnknownCode(
            "no consent has this code",
            remedy="Read it from the slip again. A consent that its register has not delivered yet is"
            " withdrawn at that register.",
        )
    return found


def code_digest(code: str) -> bytes:
    """What a consent carries of a slip's code, however it was typed.

    Raises:
        UnknownCode: It holds what no code holds.
    """
    try:
        return withdrawal_digest(code)
    except ValueError as error:
        raise UnknownCode(str(error), remedy="Type the code as the slip has it.") from error


def erase_and_print(
    config: CloudConfig,
    tenant: str,
    consents: Sequence[bytes],
    source: Source,
    *,
    reason: str,
    as_json: bool,
) -> int:
    """End these consents, erase them with progress on standard error, and print the proofs.

    A keeper that runs at the same time does the same steps; each of them may be done twice.

    Raises:
        TopscoopError: A store is away. What was done stays done; the keeper, or this command again, goes on.
    """
    with (
        closing(open_database(config.database_url)) as database,
        closing(open_vault(config)) as vault,
    ):
        database.check()
        known_tenant(database, tenant)
        records = Records(database)
        objects = open_objects(config)
        for consent in consents:
            records.withdraw(
                tenant, consent, source, now_ms(), actor=f"operator:{getpass.getuser()}", purpose=reason
            )
        rows = [row for row in (records.withdrawal(tenant, consent) for consent in consents) if row]
        for step, consent in Eraser(records, vault, objects, now_ms).erase(tenant, rows):
            if step in _WORDS:
                print(f"{consent.hex()}: {_WORDS[step]}", file=sys.stderr, flush=True)
        done = [records.withdrawal(tenant, consent) for consent in consents]
    proofs = [proof_of(row) for row in done if row is not None]
    if as_json:
        print(json.dumps([proof.plain() for proof in proofs]))
    else:
        print("\n".join(map(_sentence, proofs)))
    return 0


def _sentence(proof: Proof) -> str:
    return (
        f"{proof.consent}: nobody opens it since {_utc(proof.nobody_opens_since_ms)};"
        f" online copies gone {_utc(proof.online_copies_gone_ms)} ({proof.versions_deleted} versions);"
        f" last backup gone {_utc(proof.last_backup_gone_ms)}"
    )


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="seconds")
