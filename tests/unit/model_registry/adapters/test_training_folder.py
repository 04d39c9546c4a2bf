from pathlib import Path

import numpy as np
import pytest

from model_registry.adapters.training_folder import (
    TrainedStudent,
    load_student,
    pin_options,
    save_student,
    steps_in_all,
)
from model_registry.errors import UnusableCheckpoint
from model_registry.network import StudentShape, random_weights
from model_registry.orders import Catalogue


def test_a_student_comes_back_as_it_was(tmp_path: Path, shape: StudentShape, catalogue: Catalogue) -> None:
    student = TrainedStudent(
        catalogue, shape, random_weights(shape, 4, 1), np.ones((55, 4)), (3, 1, 0, 2), {"interactions": 7}
    )
    save_student(tmp_path, student)
    again = load_student(tmp_path, catalogue.tenant)
    assert (again.catalogue, again.shape, again.best_sellers) == (catalogue, shape, (3, 1, 0, 2))
    assert again.note == {"interactions": 7}
    assert set(again.weights) == set(student.weights)
    for name, array in student.weights.items():
        np.testing.assert_array_equal(again.weights[name], array)


def test_a_student_that_is_not_trained_yet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableCheckpoint, match="no trained student of test-chain") as caught:
        load_student(tmp_path, "test-chain")
    assert "topscoop model train" in caught.value.remedy


def test_a_training_goes_on_with_its_own_options_only(tmp_path: Path) -> None:
    """The teacher's options are fixed when it begins, the student's when that begins."""
    pin_options(tmp_path, "teacher", {"steps": 5})
    pin_options(tmp_path, "teacher", {"steps": 5})
    pin_options(tmp_path, "student", {"steps": 9})
    with pytest.raises(UnusableCheckpoint, match="other options"):
        pin_options(tmp_path, "teacher", {"steps": 6})


def test_steps_are_counted_from_the_first_training_on(tmp_path: Path) -> None:
    """A student that began with another has learned for as long as both."""
    first, second = tmp_path / "first", tmp_path / "second"
    pin_options(first, "student", {"student_steps": 100, "begin_with": None})
    pin_options(second, "student", {"student_steps": 20, "begin_with": str(first)})
    assert steps_in_all({"student_steps": 3, "begin_with": str(second)}) == 123
    with pytest.raises(UnusableCheckpoint, match="is gone"):
        steps_in_all({"student_steps": 3, "begin_with": str(tmp_path / "lost")})
