"""What PostgreSQL reads for a piece of work, and how much of it for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud.database.engine import Database


def rows_thrown_away(database: Database, tenant: str, table: str, work: Callable[[], object]) -> int:
    """How many rows the statements over a table read and filter out; each is run twice.

    Args:
        database: PostgreSQL.
        tenant: Whose rows they may see; other tenants' jobs too.
        table: Statements that name it are looked at.
        work: What sends them.
    """
    asked: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        if f" {table}" in call[2]:
            asked.append((call[2], call[3]))

    event.listen(database._engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database._engine, "before_cursor_execute", note)
    assert asked, f"nothing was asked of {table}"
    count = 0
    with database.tenant(tenant) as connection:
        connection.execute(text("SELECT set_config('app.listing', 'jobs', true)"))
        for statement, parameters in asked:
            explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            ((plan,),) = explained.scalars().all()
            count += _removed(plan["Plan"])
    return count


def _removed(plan: Any) -> int:
    return int(plan.get("Rows Removed by Filter", 0)) + sum(map(_removed, plan.get("Plans", ())))
