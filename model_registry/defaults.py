"""What the verbs do where no option says otherwise."""

SIZE = 160
"""Side of a network's frame, in pixels."""
QUICK_INTERACTIONS = 12_000
QUICK_STEPS = 2_500
