"""A chain's signed release repository: its state, the changes to it, and how they are published."""
