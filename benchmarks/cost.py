"""`python -m benchmarks.cost`: what a million recommendations cost on AWS, edge-first against cloud-only.

Every line is a count times a list price; a test holds docs/architecture/cost.md to what this prints.
Prices are list prices of us-east-1 in US dollars as the authors knew them in 2025, without free tiers and
discounts: put yours in.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

MILLION = 1_000_000
GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars."""

    iot_per_million: float = 1.00
    """AWS IoT Core messaging; a message counts once for every 5 KB begun."""
    iot_minutes_per_million: float = 0.08
    """Minutes that registers are connected."""
    s3_put_per_million: float = 5.00
    s3_get_per_million: float = 0.40
    s3_gb_month: float = 0.023
    accelerate_gb: float = 0.04
    cdn_request_per_million: float = 1.00
    cdn_gb_out: float = 0.085
    sqs_per_million: float = 0.40
    vcpu_hour: float = 0.0494
    """Fargate: one vCPU and 2 GB."""
    database_vcpu_hour: float = 0.16
    """RDS for PostgreSQL, two zones, per vCPU."""
    database_gb_month: float = 0.23
    """Two zones."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What happens in the shops, and what it costs our processes."""

    consented: float = 0.30
    sampled: float = 0.20
    """Of the consented frames, those worth their bandwidth (`sampling`)."""
    frame_bytes: int = 40_000
    photo_bytes: int = 94_000
    """What a phone's page sends of a 12-megapixel photo."""
    frames_kept_months: int = 12
    rows_kept_months: int = 12
    row_bytes: int = 600
    per_register_and_day: int = 200
    small_message_cpu_us: float = 60
    frame_cpu_us: float = 380
    """Of the collector (benchmarks/results/collector-cpu.json)."""
    request_cpu_us: float = 3_500
    """Of the API for one `POST /v1/uploads`; short runs gave 2,900 to 3,900. The other requests cost less."""
    recommendation_cpu_us: float = 12_000
    """Of recommender (4,100) and intake (7,800, its looks in an idle system included); short runs."""
    statement_cpu_us: float = 120
    """Of PostgreSQL for one row written in a batch, or read by its key."""
    busy: float = 0.30
    """How much of the processors that are paid for is used."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill."""

    what: str
    count: str
    usd: float


def edge_first(prices: Prices, shop: Shop) -> list[Line]:
    """The till recommends; interactions, sales, consents and some sealed frames go up over MQTT."""
    consents, frames = MILLION * shop.consented, MILLION * shop.consented * shop.sampled
    small = 2 * MILLION + consents
    # Each small message is one unit, and so is each receipt; a frame counts by 5 KB begun.
    units = 2 * small + frames * (-(-shop.frame_bytes // 5_000) + 1)
    minutes = MILLION / shop.per_register_and_day * 24 * 60
    cpu_us = small * shop.small_message_cpu_us + frames * shop.frame_cpu_us
    rows = small + 2 * frames
    return [
        Line(
            "IoT Core, messages", f"{units / MILLION:.2f} M units", units / MILLION * prices.iot_per_million
        ),
        Line(
            "IoT Core, connections",
            f"{minutes / MILLION:.1f} M minutes",
            minutes / MILLION * prices.iot_minutes_per_million,
        ),
        Line("S3, put", f"{frames:,.0f}", frames / MILLION * prices.s3_put_per_million),
        _kept("S3, sealed frames", frames * shop.frame_bytes, shop.frames_kept_months, prices.s3_gb_month),
        *_work(prices, shop, cpu_us, 2 * rows),
        _kept("database, rows", rows * shop.row_bytes, shop.rows_kept_months, prices.database_gb_month),
    ]


def cloud_only(prices: Prices, shop: Shop, *, accelerated: bool = False) -> list[Line]:
    """Every picture goes up; four requests each (upload, complete, answer, outcome)."""
    requests, rows = 4 * MILLION, 2 * MILLION
    out_bytes = requests * 2_000
    # S3 sends each event by itself; they are received and deleted in tens.
    queue = MILLION * 1.2
    cpu_us = requests * shop.request_cpu_us + MILLION * shop.recommendation_cpu_us
    lines = [
        Line(
            "CloudFront, requests",
            f"{requests / MILLION:.0f} M",
            requests / MILLION * prices.cdn_request_per_million,
        ),
        Line("CloudFront, answers", f"{out_bytes / GB:.0f} GB", out_bytes / GB * prices.cdn_gb_out),
        Line("S3, put", "1 M", prices.s3_put_per_million),
        Line("S3, get", "1 M", prices.s3_get_per_million),
        Line("SQS", f"{queue / MILLION:.1f} M", queue / MILLION * prices.sqs_per_million),
        *_work(prices, shop, cpu_us, 10 * MILLION),
        _kept("database, rows", rows * shop.row_bytes, shop.rows_kept_months, prices.database_gb_month),
    ]
    if accelerated:
        gigabytes = MILLION * shop.photo_bytes / GB
        lines.append(Line("Transfer Acceleration", f"{gigabytes:.0f} GB", gigabytes * prices.accelerate_gb))
    return lines


def _work(prices: Prices, shop: Shop, cpu_us: float, statements: float) -> list[Line]:
    hours, database_hours = (
        us / 1e6 / 3600 / shop.busy for us in (cpu_us, statements * shop.statement_cpu_us)
    )
    return [
        Line("our processes", f"{hours:.1f} vCPU hours", hours * prices.vcpu_hour),
        Line(
            "database, work", f"{database_hours:.1f} vCPU hours", database_hours * prices.database_vcpu_hour
        ),
    ]


def _kept(what: str, size: float, months: int, price: float) -> Line:
    return Line(what, f"{size / GB:.1f} GB, {months} months", size / GB * months * price)


def total(lines: Sequence[Line]) -> float:
    """US dollars."""
    return sum(line.usd for line in lines)


def table(title: str, lines: Sequence[Line]) -> str:
    """As Markdown."""
    rows = [f"| {line.what} | {line.count} | {line.usd:.2f} |" for line in lines]
    head = [f"| {title} | for a million recommendations | USD |", "|---|---|---|"]
    return "\n".join([*head, *rows, f"| **together** | | **{total(lines):.2f}** |"])


def bills() -> dict[str, list[Line]]:
    """Both ways, and the second one with acceleration."""
    prices, shop = Prices(), Shop()
    return {
        "edge-first": edge_first(prices, shop),
        "cloud-only": cloud_only(prices, shop),
        "cloud-only, accelerated": cloud_only(prices, shop, accelerated=True),
    }


def page() -> str:
    """The tables of the page."""
    return "\n\n".join(table(title, lines) for title, lines in bills().items())


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    args = parser.parse_args(argv)
    if args.json:
        print(json.dumps({title: [asdict(line) for line in lines] for title, lines in bills().items()}))
    else:
        print(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
