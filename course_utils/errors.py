"""Errors that are the user's to mend: each is one sentence that says what is wrong and what to do."""

FAILED, WRONG_USE, LOST, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143  # how the command ends; 0 is all well


class CourseError(ValueError):
    """Something that the user asked for can't be done; the `course` command prints it and exits with `exit_code`."""

    exit_code = WRONG_USE


class DataError(CourseError):
    """A data set is missing, cut, altered or not a data set at all."""


class SettingsError(CourseError):
    """A notebook's parameter has an unknown name, a wrong type or a value out of range."""


class LostProcessError(CourseError):
    """Of the processes that train together one is not there, or no longer; what was saved is safe."""

    exit_code = LOST
