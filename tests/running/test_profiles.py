import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import devices
from course_utils.errors import CourseError, SettingsError
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
        ("2020-13-01", "2020-13-01"),
        ("2020-12-01", "2020-12-01"),
        ("!!int x", "!!int x"),
        ("!!int ''", "!!int ''"),
        ("!!bool x", "!!bool x"),
        ("!!timestamp x", "x"),
        ("&a [*a]", "&a [*a]"),
        ("{a: 1, a: 2}", "{a: 1, a: 2}"),
        ("[" * 600, "[" * 600),
        ("9" * 5000, "9" * 5000),
        ("\udcff", "\udcff"),
    ],
)
def test_values_mean_what_a_person_means(text, value):
    assert read_value(text) == value
    assert type(read_value(text)) is type(value)


@given(st.text(max_size=30) | st.text(alphabet="ab:-[]{}&*!#\n \"'|>?,%@01fintbol.", max_size=20))
def test_whatever_is_written_there_it_is_a_value(text):
    assert read_value(text) is not None


def test_laptop_is_the_notebooks_own_values():
    assert read_profile("laptop", SHIPPED) == Profile("laptop", {})


def test_shipped_profiles_name_only_what_exists():
    assert list_profiles(SHIPPED) == ["gpu", "laptop", "light", "smoke"]
    for name in ("gpu", "light", "smoke"):
        for notebook, values in read_profile(name, SHIPPED).values.items():
            assert set(values) <= set(SETTINGS[notebook].parameter_names())


@pytest.mark.parametrize(("quick", "name"), [(True, "laptop"), (False, "light")])
def test_auto_suits_the_processor(monkeypatch, quick, name):
    monkeypatch.setattr(devices, "computes_in_bfloat16", lambda _: quick)
    assert read_profile("auto", SHIPPED) == read_profile(name, SHIPPED)
    assert read_profile("auto", SHIPPED).name == name


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
    with pytest.raises(SettingsError, match=r"the profile .* is not text in UTF-8: is it the right file"):
        read_profile(str(tmp_path / "mine.yaml"), SHIPPED)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("05_simclr: {NUM_EPOCHS: 1, NUM_EPOCHS: 2}", "has 'NUM_EPOCHS' twice (line 1): leave one out"),
        ("05_simclr: {NUM_EPOCHS: 1}\n05_simclr: {}", "has '05_simclr' twice (line 2): leave one out"),
        ("a: &a [*a]", "holds more than"),
        ("a: " + "[" * 600, "has lists within lists without end: write it flat"),
        ("a: {b: !!bool perhaps}", "is not valid YAML"),
        ("#" * 1_000_001, "is larger than 1 MB: is it the right file?"),
    ],
)
def test_a_profile_is_read_as_strictly_as_a_sweep(tmp_path, content, words):
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(SettingsError) as refused:
        read_profile(str(tmp_path / "mine.yaml"), SHIPPED)
    assert str(refused.value).startswith(f"the profile {tmp_path / 'mine.yaml'} {words}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("place", ["", "~nobody.at.all/", "x" * 300, "\0"])
def test_a_profile_that_can_not_be_there(tmp_path, place):
    (tmp_path / ".yaml").mkdir()
    with pytest.raises(CourseError) as refused:
        read_profile(f"{place}.yaml" if place.startswith("~") else f"{tmp_path}/{place}.yaml", SHIPPED)
    assert any(words in str(refused.value) for words in ("can't read the profile", "nobody's home"))


def test_an_unknown_profile_lists_the_known():
    with pytest.raises(SettingsError, match="no profile big: choose one of auto, gpu, laptop, light, smoke, or"):
        read_profile("big", SHIPPED)
