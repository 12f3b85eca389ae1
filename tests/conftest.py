"""What holds for all tests."""

from hypothesis import settings

# how long an example takes says how busy the machine is, not whether the code is right
settings.register_profile("course", deadline=None)
settings.load_profile("course")
