"""The last look: at rest, with all faults over, every message has exactly the end that it must have."""

from collections import Counter
from typing import TYPE_CHECKING

from cloud.collector.values import State
from cloud.privacy.errors import KeyGone
from edge_agent.uplink.accounting import Fate
from tests.simulation.world.referee import opened
from wire_protocol.envelope import Header, seal_info
from wire_protocol.sealing import SealBroken
from wire_protocol.topics import Up

if TYPE_CHECKING:
    from tests.simulation.world.twin import Twin


def judge(twin: "Twin") -> None:
    """Tell the referee of everything that is not as it must be."""
    _one_version_each(twin)
    _everything_arrived(twin)
    _nothing_opens(twin)


def _one_version_each(twin: "Twin") -> None:
    """Exactly one version for a stored frame, none for any other message; nothing of an erased consent."""
    books, ledger = twin.referee.books, twin.real_ledger
    versions: Counter[tuple[str, str, bytes]] = Counter()
    for (key, version), put in books.puts.items():
        identity = (put.tenant, put.register, put.message_id)
        versions[identity] += 1
        row = ledger.rows.get(identity)
        if row is None or row.state is not State.STORED or row.version != version:
            twin.referee.violated(f"orphan: {key} {version} has no row, and was never swept")
        elif put.consent in books.withdrawn:
            twin.referee.violated(f"erasure: {key} {version} lies there after its erasure")
    for identity, row in ledger.rows.items():
        frame = ledger.frames.get(identity)
        if row.state is not State.STORED or frame is None or frame.consent in books.withdrawn:
            continue
        if versions[identity] != 1:
            name = row.message_id.hex()[:8]
            twin.referee.violated(f"twice or lost: row {name} has {versions[identity]} versions")
    if len(list(twin.bucket.versions("frames/"))) != len(books.puts):
        twin.referee.violated("the bucket holds what the referee did not see")


def _everything_arrived(twin: "Twin") -> None:
    """Every captured message ended, and its row says the same."""
    for key, captured in twin.referee.books.captured.items():
        row = twin.real_ledger.rows.get(key)
        if captured.fate is Fate.STORED and (row is None or row.state not in {State.STORED, State.GONE}):
            twin.referee.violated(f"lost: {key[0]}/{key[1]} {captured.kind} {key[2].hex()[:8]}")
    # A withdrawal that met a bug was told `retry` until the bug was mended.
    for consent, identity in twin.referee.books.said_withdrawn:
        reviewed = any(consent == reviewed for _, _, reviewed in twin.real_ledger.reviews)
        late = identity in twin.referee.books.revoked and reviewed
        if consent is not None and consent not in twin.referee.books.withdrawn and not late:
            twin.referee.violated(
                f"erasure: {consent.hex()[:8]} was taken back at {identity}, and nobody knows"
            )


def _nothing_opens(twin: "Twin") -> None:
    """T25: whoever recorded every byte that ever went over the wire opens no frame of an erased consent."""
    books = twin.referee.books
    for consent in books.withdrawn:
        if twin.vault.has_key(books.withdrawn[consent], consent):
            twin.referee.violated(f"erasure: {consent.hex()[:8]} still has its key")
    opens = 0
    for topic, message in dict.fromkeys(twin.broker.wire):
        if not topic.endswith(f"/up/{Up.FRAME}"):
            continue
        claimed = opened(message)
        consent = claimed.payload["consent"]
        if consent not in books.permissions or (consent not in books.withdrawn and opens > 3):
            continue
        try:
            header = Header(claimed.topic, claimed.message_id, claimed.sequence, claimed.at_ms)
            info = seal_info(header, claimed.kid)
            twin.vault.unseal(claimed.topic.identity.tenant, consent, claimed.attached[1], info)
        except (KeyGone, SealBroken):
            continue
        opens += 1
        if consent in books.withdrawn:
            twin.referee.violated(f"erasure: a copy of {claimed.message_id.hex()[:8]} opens")
    twin.referee.counts["opened with a living key"] += opens
