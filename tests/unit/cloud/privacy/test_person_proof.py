"""How far an erasure is."""

from cloud.privacy.erasure_plan import BACKUP_KEPT_MS
from cloud.privacy.person_proof import ConsentEnd, Progress, progress_of

DETAIL = {"plaintext_until_ms": 120}


def test_what_had_no_picture_is_gone_when_the_plaintext_is() -> None:
    """Nothing to open from the first moment; the intake bucket is empty a little later."""
    assert progress_of(0, DETAIL, [], 0, 119) == Progress(0, None, None, 0)
    assert progress_of(0, DETAIL, [], 0, 120) == Progress(0, 120, 120 + BACKUP_KEPT_MS, 0)


def test_the_last_key_and_the_last_version_count() -> None:
    """One consent that is not erased yet, or one hand-over that waits, and it is running."""
    first = ConsentEnd(10, 20)
    assert progress_of(5, DETAIL, [first, ConsentEnd(None, None)], 0, 500) == Progress(None, None, None, 1)
    assert progress_of(5, DETAIL, [first, ConsentEnd(300, None)], 0, 500) == Progress(300, None, None, 1)
    assert progress_of(5, DETAIL, [first], 1, 500) == Progress(None, None, None, 1)
    done = progress_of(5, DETAIL, [first, ConsentEnd(300, 400)], 0, 500)
    assert done == Progress(300, 400, 400 + BACKUP_KEPT_MS, 0)
    assert done.done
