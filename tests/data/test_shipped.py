"""What a clone carries is accounted for."""

import hashlib

import pytest

from course_utils.paths import data_dir, project_root

LARGE = 100_000  # bytes
SHIPPED = [
    path.relative_to(data_dir()).as_posix()
    for folder in ("cifar10-mini", "sotu", "encoders")
    for path in sorted((data_dir() / folder).iterdir())
    if path.stat().st_size > LARGE or folder == "encoders"
]


@pytest.mark.parametrize("name", SHIPPED)
def test_each_large_file_and_what_belongs_to_an_encoder_has_a_line_with_its_hash(name):
    lines = (data_dir() / "README.md").read_text(encoding="utf-8").splitlines()
    digest = hashlib.sha256((data_dir() / name).read_bytes()).hexdigest()
    assert [line for line in lines if f"`{name}`" in line and f"`{digest}`" in line]


def test_other_folders_of_data_are_not_shipped():
    ignored = (project_root() / ".gitignore").read_text(encoding="utf-8")
    folders = {path.name for path in data_dir().iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert "data/cache" in ignored
    assert folders - {"cache"} == {"cifar10-mini", "sotu", "encoders"}
