"""How hypothesis tests run everywhere: no deadlines, and many more examples in the long runs."""

from hypothesis import settings

# A timing is never a test's pass condition: a busy machine must not fail a property.
settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile("default")
