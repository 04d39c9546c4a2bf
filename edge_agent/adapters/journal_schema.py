"""The tables of the journal; each change is one migration that is never edited afterwards."""

import sqlite3

from sqlite_utils import Database, Migrations

migrations = Migrations("edge_agent.journal")


@migrations()
def m001_first(db: Database) -> None:
    """Slates, displays, sales, settings and counters."""
    db.table("impression").create(
        {
            "interaction_id": str,
            "shown_at_ms": int,
            "arm": str,
            "source": str,
            "reason": str,
            "slate": str,  # JSON: [{"flavour", "name", "probability"}], in position
            "propensity": float,
            "model_digest": str,
            "model_version": str,
            "menu_version": int,
            "in_stock": str,  # JSON: ids in the catalogue's order
            "context": str,  # JSON object
            "nobody": float,
            "scores": str,  # JSON: a logit per flavour of the catalogue
            "frame_age_ms": float,
            "inference_ms": float,
            "total_ms": float,
        },
        pk="interaction_id",
        not_null={"shown_at_ms", "arm", "source", "slate", "propensity", "menu_version", "in_stock"},
        strict=True,
    )
    db.table("impression").create_index(["shown_at_ms"])
    db.table("displayed").create({"interaction_id": str, "at_ms": int}, pk="interaction_id", strict=True)
    db.table("outcome").create(
        {
            "outcome_id": str,
            "idempotency_key": str,
            "interaction_id": str,
            "receipt_hmac": str,
            "lines": str,  # JSON: [{"flavour", "quantity"}]
            "at_ms": int,
            "since_shown_ms": int,
            "stored_at_ms": int,
            "content_sha256": bytes,
        },
        pk="outcome_id",
        not_null={"idempotency_key", "receipt_hmac", "lines", "at_ms", "stored_at_ms", "content_sha256"},
        strict=True,
    )
    db.table("outcome").create_index(["idempotency_key"], unique=True)
    db.table("outcome").create_index(["interaction_id"])
    db.table("outcome").create_index(["stored_at_ms"])
    db.table("setting").create({"name": str, "value": str}, pk="name", strict=True)
    db.table("counter").create({"name": str, "value": int}, pk="name", strict=True)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations that this database lacks, each in a transaction of its own.

    Raises:
        sqlite3.Error: Disk or database refused.
    """
    migrations.apply(Database(connection))
