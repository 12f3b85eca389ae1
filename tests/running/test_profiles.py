import pytest

from course_utils.errors import SettingsError
from course_utils.paths import notebooks_dir
from course_utils.running.profiles import Profile, list_profiles, read_profile, read_value
from course_utils.running.settings import SETTINGS

SHIPPED = notebooks_dir() / "profiles"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("-1", -1),
        ("0.1", 0.1),
        ("1e-3", 1e-3),
        ("5E2", 500.0),
        ("true", True),
        ("[0, 1]", [0, 1]),
        ("cifar10", "cifar10"),
        ('"12"', "12"),
        ("", ""),
        ("a: [", "a: ["),
        ("cuda:1", "cuda:1"),
    ],
)
def test_values_mean_what_a_person_means(text, value):
    assert read_value(text) == value
    assert type(read_value(text)) is type(value)


def test_laptop_is_the_notebooks_own_values():
    assert read_profile("laptop", SHIPPED) == Profile("laptop", {})


def test_shipped_profiles_name_only_what_exists():
    assert list_profiles(SHIPPED) == ["gpu", "laptop", "smoke"]
    for name in ("gpu", "smoke"):
        for notebook, values in read_profile(name, SHIPPED).values.items():
            assert set(values) <= set(SETTINGS[notebook].parameter_names())


def test_a_file_of_ones_own(tmp_path):
    (tmp_path / "mine.yaml").write_text("05_simclr:\n  LEARNING_RATE: 1e-3\n  SEEDS: [1, 2]\n")
    profile = read_profile(str(tmp_path / "mine.yaml"), SHIPPED)
    assert profile == Profile("mine", {"05_simclr": {"LEARNING_RATE": 0.001, "SEEDS": [1, 2]}})


def test_an_empty_file_changes_nothing(tmp_path):
    (tmp_path / "mine.yaml").touch()
    assert read_profile(str(tmp_path / "mine.yaml"), SHIPPED).values == {}


@pytest.mark.parametrize("content", ["- 1\n", "05_simclr: 3\n", "text", "05_simclr:\n"])
def test_another_shape_is_refused(tmp_path, content):
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(SettingsError, match="should hold lines such as"):
        read_profile(str(tmp_path / "mine.yaml"), SHIPPED)


def test_bad_yaml_is_one_sentence_with_the_line(tmp_path):
    (tmp_path / "mine.yaml").write_text("a: 1\nb: [\n")
    with pytest.raises(SettingsError, match=r"is not valid YAML \(line 3\)") as caught:
        read_profile(str(tmp_path / "mine.yaml"), SHIPPED)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"can't read the profile|is not valid YAML"):
        read_profile(str(tmp_path / "mine.yaml"), SHIPPED)


def test_an_unknown_profile_lists_the_known():
    with pytest.raises(SettingsError, match="no profile big: choose one of gpu, laptop, smoke, or"):
        read_profile("big", SHIPPED)
