import numpy as np

from simulator.bank import CharacterBank
from simulator.contact_sheet import contact_sheet


def test_a_sheet_holds_rows_of_six_and_repeats_by_seed(bank: CharacterBank) -> None:
    sheet = contact_sheet(8, 1, bank=bank, cell_width=80)
    assert sheet.shape == (2 * 60, 6 * 80, 3)
    assert np.array_equal(sheet, contact_sheet(8, 1, bank=bank, cell_width=80))
    assert np.all(sheet[60:, 160:] == 255)
