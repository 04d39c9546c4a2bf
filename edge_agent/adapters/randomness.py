"""Unpredictable bytes from the operating system."""

import os


def system_randomness(length: int) -> bytes:
    """`length` bytes nobody can guess."""
    return os.urandom(length)
