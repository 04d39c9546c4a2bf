from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.arms import ArmShares, draw_arm, unit_hash
from edge_agent.impression import Arm
from tests.builders.records import interaction_id

SHARES = ArmShares(explore=0.05, bestsellers=0.10)


@given(st.uuids(), st.text(min_size=1, max_size=16))
def test_the_same_interaction_always_gets_the_same_arm(interaction: UUID, seed: str) -> None:
    assert draw_arm(interaction, SHARES, seed=seed) is draw_arm(interaction, SHARES, seed=seed)


def test_the_draw_is_what_the_documentation_says() -> None:
    """Keyed BLAKE2b, spelled out: a measurement in another language must be able to repeat it."""
    from hashlib import blake2b

    digest = blake2b(interaction_id(7).bytes + b"arm", digest_size=8, key=b"seed").digest()
    expected = (int.from_bytes(digest, "big") // 2**11 + 0.5) / 2**53
    assert unit_hash(interaction_id(7), seed="seed", purpose="arm") == expected


def test_shares_are_kept() -> None:
    """20,000 interactions; the bounds are five standard deviations wide."""
    drawn = [draw_arm(interaction_id(number), SHARES, seed="s") for number in range(20_000)]
    assert drawn.count(Arm.BESTSELLERS) == pytest.approx(2000, abs=215)
    assert drawn.count(Arm.EXPLORE) == pytest.approx(1000, abs=155)


def test_another_seed_draws_anew() -> None:
    ids = [interaction_id(number) for number in range(1000)]
    wide = ArmShares(explore=0, bestsellers=0.5)
    same = sum(draw_arm(one, wide, seed="a") is draw_arm(one, wide, seed="b") for one in ids)
    assert 400 < same < 600


@given(st.uuids(), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_larger_control_only_adds(interaction: UUID, share: float, more: float) -> None:
    small = draw_arm(interaction, ArmShares(0.1, min(share, more)), seed="s")
    large = draw_arm(interaction, ArmShares(0.1, max(share, more)), seed="s")
    if small is Arm.BESTSELLERS:
        assert large is Arm.BESTSELLERS


@pytest.mark.parametrize(
    ("shares", "arm"),
    [
        (ArmShares(0, 0), Arm.MODEL),
        (ArmShares(0, 1), Arm.BESTSELLERS),
        (ArmShares(1, 0), Arm.EXPLORE),
    ],
)
def test_a_share_of_one_takes_all(shares: ArmShares, arm: Arm) -> None:
    assert {draw_arm(interaction_id(number), shares, seed="s") for number in range(200)} == {arm}


@pytest.mark.parametrize(("explore", "bestsellers"), [(-0.1, 0.1), (0.1, -0.1), (0.6, 0.5)])
def test_impossible_shares_are_refused(explore: float, bestsellers: float) -> None:
    with pytest.raises(ValueError, match="at most 1 together"):
        ArmShares(explore, bestsellers)
