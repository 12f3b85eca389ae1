"""The doctor: what is amiss is red or yellow, with what to do; what is not, is green."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from course_utils import cli, paths
from course_utils.data import sources
from course_utils.data.shipped import how_to_mend
from course_utils.errors import DataError
from course_utils.running import doctor, speed
from course_utils.running.doctor import Diagnosis, examine


def level_of(check):
    assert check.level == "green" or check.advice, "what is amiss comes with what to do"
    return check.level


def test_this_machine_does():
    diagnosis = examine(seconds=0)
    assert diagnosis.is_well, [check for check in diagnosis.checks if check.level == "red"]
    names = [check.name for check in diagnosis.checks]
    for name in ("python", "kernel", "torch", "precision", "cores", "memory", "disk", "widgets", "data: cifar10-mini"):
        assert name in names
    assert json.loads(json.dumps(diagnosis.as_json()))["ok"] is True
    assert diagnosis._repr_html_().count("<tr>") == len(names) + 1


def test_an_old_python_is_red(monkeypatch):
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (4, 0))
    assert level_of(doctor._python()) == "red"


def test_a_kernel_of_another_environment_is_yellow(monkeypatch, tmp_path):
    spec = SimpleNamespace(argv=[f"{tmp_path}/bin/python"])
    monkeypatch.setattr("jupyter_client.kernelspec.KernelSpecManager.get_kernel_spec", lambda *_: spec)
    check = doctor._kernel()
    assert level_of(check) == "yellow"
    assert f"{tmp_path}/bin/python" in check.found
    for word in ("python", "python3", f"{sys.executable}"):
        spec.argv = [word]
        assert doctor._kernel().level == "green"


@pytest.mark.parametrize(("gigabytes", "level"), [(16, "green"), (2, "yellow"), (0.5, "red")])
def test_memory(monkeypatch, gigabytes, level):
    monkeypatch.setattr(doctor, "free_memory", lambda: gigabytes * 1e9)
    assert level_of(doctor._memory()) == level


@pytest.mark.parametrize(("gigabytes", "level"), [(16, "green"), (1, "yellow"), (0.1, "red")])
def test_disk(monkeypatch, gigabytes, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=gigabytes * 1e9))
    assert level_of(doctor._disk()) == level


def test_a_folder_that_cant_be_written_to_is_red(monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)  # root may write everywhere
    assert level_of(doctor._disk()) == "red"


def test_missing_packages(monkeypatch):
    monkeypatch.setattr(doctor, "_is_installed", lambda name: False)
    assert level_of(doctor._widgets()) == "red"
    assert level_of(doctor._sweeps()) == "yellow"


def test_a_gpu_that_torch_cant_use_is_yellow(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(doctor, "list_gpus", lambda: ["0"])
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert level_of(doctor._torch()) == "yellow"


def test_damaged_data_are_red_with_the_sentence_that_mends_them(monkeypatch):
    def refuse(name, *, quick=False):
        if name == "cifar10-mini":
            raise DataError("train.png was altered: git checkout data")

    monkeypatch.setattr(sources, "verify", refuse)
    checks = {check.name: check for check in doctor._data()}
    assert level_of(checks["data: cifar10-mini"]) == "red"
    assert checks["data: cifar10-mini"].advice == "train.png was altered: git checkout data"
    assert checks["data: sotu"].level == "green"


def test_a_look_that_breaks_off_is_red_and_the_others_are_made(monkeypatch):
    monkeypatch.setattr(doctor, "count_cores", lambda: 1 / 0)
    diagnosis = examine(seconds=0)
    [red] = [check for check in diagnosis.checks if check.level == "red"]
    assert (red.name, red.found) == ("cores", "ZeroDivisionError: division by zero")
    assert not diagnosis.is_well


def test_minutes_scale_with_the_speed(monkeypatch, tmp_path):
    monkeypatch.setattr(speed, "docs_dir", lambda: tmp_path)
    assert speed.estimate_minutes(100.0, speed.load_measured()) == {}, "nothing was published yet"
    entry = {"name": "05_x", "seconds": 120.0, "metrics": {speed.VIEWS_PER_SECOND: 2000.0}}
    other = {"name": "01_y", "seconds": 60.0, "metrics": {}}
    for profile, entries in (("laptop", [entry, other]), ("gpu", [other]), ("laptop", [other | {"seconds": 90.0}])):
        speed.write_measured(
            {"profile": profile, "environment": {"precision": "32-true"}, "notebooks": entries},
            tmp_path / speed.MEASURED,
        )
    measured = speed.load_measured()
    assert measured.pop("seconds") == {"01_y": 90.0, "05_x": 120.0}
    assert measured.pop("views_per_second") == 2000.0
    assert speed.estimate_minutes(500.0, speed.load_measured()) == {"01_y": 6.0, "05_x": 8.0}


def test_the_published_minutes_are_those_of_notebooks_that_there_are():
    measured = speed.load_measured()
    assert measured["views_per_second"] > 0
    assert all((paths.notebooks_dir() / f"{name}.ipynb").exists() for name in measured["seconds"])


def test_speed_is_measured_in_about_the_time_given_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(speed, "BATCH_SIZE", 8)
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    assert speed.measure_views_per_second(0.2) > 0
    assert "COURSE_PROGRESS" not in speed.os.environ


def test_a_slow_or_busy_machine_is_yellow(monkeypatch):
    monkeypatch.setattr(doctor, "load_measured", lambda *_: {"seconds": {"05_x": 600.0}, "views_per_second": 1000.0})
    for views, load, level in ((1000.0, 0.0, "green"), (50.0, 0.0, "yellow"), (1000.0, 99.0, "yellow")):
        monkeypatch.setattr(doctor, "measure_views_per_second", lambda _, views=views: views)
        monkeypatch.setattr(doctor.os, "getloadavg", lambda load=load: (load, load, load))
        diagnosis = Diagnosis()
        assert level_of(doctor._speed(diagnosis, 1.0)) == level
        assert diagnosis.minutes == {"05_x": 10_000 / views}


@pytest.mark.parametrize(("profile", "minutes"), [("laptop", 20.0), ("light", 4.0)])
def test_it_tells_how_long_the_main_job_will_take_here(monkeypatch, profile, minutes):
    seconds = {
        "laptop": {"01_supervised_baselines": 240.0, "05_simclr": 360.0, "07_next_word": 6000.0},
        "light": {"01_supervised_baselines": 60.0, "05_simclr": 60.0},
    }
    monkeypatch.setattr(
        doctor,
        "load_measured",
        lambda profile="laptop": {"seconds": seconds[profile], "views_per_second": 1000.0},
    )
    monkeypatch.setattr(doctor, "suited_to_this_machine", lambda: profile)
    monkeypatch.setattr(doctor, "measure_views_per_second", lambda _: 500.0)
    diagnosis = Diagnosis()
    check = doctor._speed(diagnosis, 1.0)
    assert f"about 220 minutes for 3 notebooks, {minutes:.0f} for `make run` (profile {profile})" in check.found
    assert diagnosis.as_json()["make_run"] == {"profile": profile, "minutes": minutes}


@pytest.mark.parametrize(("cores", "code"), [(2, 0), (None, 1)])
def test_the_command_ends_with_1_if_something_is_red(monkeypatch, capsys, cores, code):
    monkeypatch.setattr(doctor, "count_cores", lambda: cores)
    for words in (["doctor", "--quick"], ["doctor", "--quick", "--json"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        assert (stopped.value.code or 0) == code
    out = capsys.readouterr().out
    answer = json.loads(out[out.index("{") :])
    assert answer["ok"] is (code == 0)
    assert "● green" in out


def test_json_is_all_that_is_written_to_stdout():
    command = [sys.executable, "-m", "course_utils", "doctor", "--quick", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert json.loads(ended.stdout)["schema"] == 1


def test_the_table_shows_code_as_code_and_nothing_as_markup():
    html = Diagnosis([doctor.Check("<b>", "yellow", "no dask", "only for `course sweep`")])._repr_html_()
    assert ">&lt;b&gt;</td>" in html
    assert ">only for <code>course sweep</code></td>" in html
    assert "</span> yellow</td>" in html


def test_a_shipped_encoder_that_is_cut_is_named_with_its_cure(tmp_path, monkeypatch):
    shipped = tmp_path / "encoders"
    shutil.copytree(paths.shipped_encoders_dir(), shipped)
    monkeypatch.setattr("course_utils.models.encoder_files.shipped_encoders_dir", lambda: shipped)
    assert doctor._encoders().level == "green"
    (shipped / "simclr.json").write_text("{")
    found = doctor._encoders()
    assert found.level == "yellow"
    assert "simclr.safetensors, or the .json beside it, is damaged" in found.advice
    assert found.advice.endswith(how_to_mend(shipped))
