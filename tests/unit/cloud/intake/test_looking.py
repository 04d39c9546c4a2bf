import pytest

from cloud.intake.looking import EVENT_MS, STRANGE_MS, Step, deadline_ms, step_of, step_of_strange
from cloud.intake.values import Ticket, UploadState

DEADLINE_MS = 110_000


@pytest.mark.parametrize(
    ("state", "young", "settled", "old"),
    [
        (UploadState.ISSUED, Step.LEAVE, Step.TAKE_IN, Step.GIVE_UP),
        (UploadState.ARRIVED, Step.LEAVE, Step.LEAVE, Step.GIVE_UP),
        (UploadState.DONE, Step.LEAVE, Step.LEAVE, Step.GIVE_UP),
        (UploadState.FAILED, Step.LEAVE, Step.LEAVE, Step.GIVE_UP),
        (UploadState.EXPIRED, Step.DELETE, Step.DELETE, Step.DELETE),
        (UploadState.ERASED, Step.DELETE, Step.DELETE, Step.DELETE),
    ],
)
def test_every_state_has_its_step(state: UploadState, young: Step, settled: Step, old: Step) -> None:
    """Just put, after an event ought to have come, and when it must go (T26)."""
    ticket = Ticket(state, deleted=False)
    ages = (EVENT_MS - 1, EVENT_MS, DEADLINE_MS)
    assert [step_of(ticket, age_ms, DEADLINE_MS) for age_ms in ages] == [young, settled, old]


@pytest.mark.parametrize("state", UploadState)
def test_what_was_deleted_once_is_deleted_again(state: UploadState) -> None:
    """An object that came after its upload's own was deleted is a replay (T21)."""
    assert step_of(Ticket(state, deleted=True), 0, DEADLINE_MS) is Step.DELETE


def test_no_ticket_no_object() -> None:
    assert step_of(None, 0, DEADLINE_MS) is Step.DELETE


def test_a_probe_has_a_minute() -> None:
    """What lies under other keys is left for as long as a service tries its store out."""
    assert step_of_strange(STRANGE_MS - 1) is Step.LEAVE
    assert step_of_strange(STRANGE_MS) is Step.DELETE


@pytest.mark.parametrize(("plaintext_s", "every_s"), [(120, 5.0), (30, 5.0), (30, 60.0), (600, 0.2)])
def test_a_look_may_fail_and_nothing_stays_too_long(plaintext_s: int, every_s: float) -> None:
    """Wherever looks fall, two of them fit between the deadline and the promise; never under half of it."""
    deadline = deadline_ms(plaintext_s, every_s)
    assert plaintext_s * 500 <= deadline < plaintext_s * 1000
    if 4 * every_s <= plaintext_s:
        assert deadline + 2 * every_s * 1000 <= plaintext_s * 1000
