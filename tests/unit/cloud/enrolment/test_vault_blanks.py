"""The blanks that a register starts with, and how often it may start."""

from cloud.enrolment.vault_blanks import FIRST_BLANKS, VaultBlanks
from cloud.privacy.blank_issue import outstanding_max
from cloud.privacy.keeper import Stock
from cloud.privacy.memory_key_vault import MemoryKeyVault
from tests.builders.wire_messages import CONSENT_KEY, IDENTITY, NOW_MS, lookup
from wire_protocol.consent import verify_blank


def first_blanks(vault: MemoryKeyVault, stock: Stock, given: set[bytes] | None = None) -> VaultBlanks:
    return VaultBlanks(vault, lambda _, __: given or set(), lambda _: CONSENT_KEY, stock)


def test_a_new_register_gets_signed_blanks_whose_keys_are_alive() -> None:
    """As many as one message holds."""
    vault = MemoryKeyVault()
    signed = first_blanks(vault, Stock(2000, 90)).issue(IDENTITY, NOW_MS)
    blanks = {verify_blank(one, lookup(CONSENT_KEY)).blank for one in signed}
    assert len(blanks) == FIRST_BLANKS
    assert blanks == set(vault.live(IDENTITY.tenant, IDENTITY.register, 0))


def test_never_more_than_a_register_may_hold() -> None:
    """Where the operator keeps stocks small, the first one is small as well."""
    assert len(first_blanks(MemoryKeyVault(), Stock(10, 90)).issue(IDENTITY, NOW_MS)) == 10


def test_who_enrols_again_and_again_stays_within_the_bound() -> None:
    """A till that is set up anew each day holds no more than the keeper would let be outstanding."""
    vault, stock = MemoryKeyVault(), Stock(100, 90)
    office = first_blanks(vault, stock)
    counts = [len(office.issue(IDENTITY, NOW_MS + day)) for day in range(5)]
    assert counts == [100, 100, 100, 0, 0]
    live = vault.live(IDENTITY.tenant, IDENTITY.register, 0)
    assert len(live) == outstanding_max(100)
    # What was filled and received is not outstanding any more.
    assert len(first_blanks(vault, stock, set(live[:60])).issue(IDENTITY, NOW_MS + 9)) == 60
