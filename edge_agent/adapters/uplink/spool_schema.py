"""The tables of the spool; each change is one migration that is never edited afterwards."""

import sqlite3

from sqlite_utils import Database, Migrations

migrations = Migrations("edge_agent.spool")


@migrations()
def m001_first(db: Database) -> None:
    """Messages apart from their bytes, consents that ended, blanks, settings and counters."""
    db.table("message").create(
        {
            "position": int,
            "message_id": bytes,
            "kind": str,
            "lane": int,
            "at_ms": int,
            "size": int,
            "sha256": bytes,
            "consent": bytes,  # of a frame: what it is sealed to
            "rank": int,  # of a frame: spool_rules.thinning_rank
            "aside": str,  # why it is not offered for delivery
        },
        pk="position",
        not_null={"message_id", "kind", "lane", "at_ms", "size", "sha256"},
        strict=True,
    )
    db.table("message").create_index(["message_id"], unique=True)
    db.table("message").create_index(["lane", "position"])
    db.execute("CREATE INDEX frame_rank ON message (rank) WHERE rank IS NOT NULL")
    db.execute("CREATE INDEX frame_consent ON message (consent) WHERE consent IS NOT NULL")
    # In a table of its own: looking for candidates never reads a picture's pages.
    db.table("body").create({"position": int, "message": bytes}, pk="position", strict=True)
    db.table("ended_consent").create({"consent": bytes, "ended_at_ms": int}, pk="consent", strict=True)
    db.table("blank").create(
        {"blank": bytes, "signed": bytes, "usable_until_ms": int, "used_at_ms": int},
        pk="blank",
        not_null={"signed", "usable_until_ms"},
        strict=True,
    )
    db.table("setting").create({"name": str, "value": str}, pk="name", strict=True)
    db.table("counter").create({"name": str, "value": int}, pk="name", strict=True)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations that this database lacks, each in a transaction of its own.

    Raises:
        sqlite3.Error: Disk or database refused.
    """
    migrations.apply(Database(connection))
