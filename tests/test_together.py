"""Two processes do what one does alone: batch norm, negatives, draws, unequal numbers of words."""

import subprocess
import sys
from pathlib import Path

import pytest
import together
import torch

from course_utils.devices import make_fabric
from course_utils.errors import SettingsError
from course_utils.teamwork import Team, is_silence, minding_the_others, put_in_row
from course_utils.training import Step, check_shares


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """Return what each of two processes found."""
    folder = tmp_path_factory.mktemp("together")
    port = str(free_port())
    command = [sys.executable, str(Path(together.__file__)), str(folder)]
    processes = [
        subprocess.Popen([*command, str(rank), "2", port], stderr=subprocess.PIPE, text=True) for rank in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def of_one() -> dict:
    return together.everything(make_fabric("cpu", "32-true"))


def free_port() -> int:
    """Return a port, by a process of its own, for sockets are blocked here."""
    code = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def test_batch_norm_sees_the_batch_of_both(of_one, of_two):
    alone, first, second = of_one["normalized"], *(each["normalized"] for each in of_two)
    for name in ("out", "gradient"):
        torch.testing.assert_close(torch.cat([first[name], second[name]]), alone[name], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(first["of_scale"] + second["of_scale"], alone["of_scale"], rtol=1e-9, atol=1e-9)
    for name in ("mean", "var"):
        torch.testing.assert_close(first[name], alone[name], rtol=1e-9, atol=1e-9)
        assert torch.equal(first[name], second[name])


def test_contrastive_training_is_that_of_one_process(of_one, of_two):
    alone, first, second = of_one["trained"], *(each["trained"] for each in of_two)
    assert len(alone["losses"]) == 15
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(alone["losses"], rel=1e-6)
    for name, tensor in alone["weights"].items():
        torch.testing.assert_close(first["weights"][name], tensor, rtol=1e-5, atol=1e-7)


def test_what_two_began_one_ends(of_one, of_two):
    """The second process alone was asked to stop; both did, and the state goes on in one process."""
    assert [each["stopped"] for each in of_two] == [7, 7]
    resumed = together.train(make_fabric("cpu", "32-true"), checkpoint=Path(of_two[0]["folder"]) / "stopped.ckpt")
    assert resumed["losses"] == pytest.approx(of_one["trained"]["losses"], rel=1e-6)
    assert resumed["losses"][:7] == of_two[0]["trained"]["losses"][:7], "they are those of the two"
    for name, tensor in of_one["trained"]["weights"].items():
        torch.testing.assert_close(resumed["weights"][name], tensor, rtol=1e-5, atol=1e-7)


def test_words_count_the_same_whoever_is_asked_for_them(of_one, of_two):
    assert of_two[0]["words"] == pytest.approx(of_one["words"], rel=1e-9)
    assert of_two[0]["words"] == of_two[1]["words"]
    assert of_one["words"][0] > of_one["words"][-1]


def test_alone_nothing_is_asked_of_anybody():
    team, values = Team(), torch.randn(3, 2)
    assert team.any(True, False) == [True, False]
    assert team.tell("news") == "news"
    team.agree("number", 3)
    team.wait()
    assert torch.equal(team.share(values), values)
    assert torch.equal(put_in_row(values), values[None])


def test_shares_do_not_overlap_and_positions_find_them():
    batch = torch.tensor([7, 3, 9, 1, 4, 8])
    steps = [Step(Team(rank, 3).share(batch), torch.Generator(), 0.0, batch, rank) for rank in range(3)]
    assert [step.indices.tolist() for step in steps] == [[7, 3], [9, 1], [4, 8]]
    for step in steps:
        assert step.num_processes == 3
        assert torch.equal(batch.repeat(2)[step.positions(2)], step.indices.repeat(2))
    alone = Step(batch, torch.Generator(), 0.0)
    assert alone.positions(2).tolist() == list(range(12))


def test_a_batch_that_can_not_be_shared_is_refused():
    check_shares(8, 4)
    with pytest.raises(SettingsError, match="must be a multiple of their number, 3, got 128: 126 would do"):
        check_shares(128, 3)
    with pytest.raises(SettingsError, match="must be a multiple of their number, 4, got 2: 4 would do"):
        check_shares(2, 4)


def test_only_silence_is_taken_for_silence():
    assert is_silence(RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:5"))
    assert is_silence(torch.distributed.DistNetworkError("The client socket has timed out"))
    assert not is_silence(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_silence(ValueError("gloo"))
    with pytest.raises(RuntimeError, match="shapes"), minding_the_others(2, "in training"):
        raise RuntimeError("shapes")
