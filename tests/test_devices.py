"""Device and precision are found out; what is not there is named."""

import pytest
import torch

from course_utils.devices import choose_precision, computes_in_bfloat16, make_fabric
from course_utils.errors import CourseError


@pytest.mark.parametrize(
    ("capabilities", "expected"), [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False)]
)
def test_bfloat16_only_where_the_processor_has_it(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert computes_in_bfloat16("cpu") is expected
    assert choose_precision("cpu") == ("bf16-mixed" if expected else "32-true")
    assert choose_precision("cpu", "32-true") == "32-true"


def test_older_torch_is_asked_its_own_way(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert computes_in_bfloat16("cpu")


def test_absent_device_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CourseError, match="DEVICE is 'cuda', but this machine has none that torch can use"):
        make_fabric("cuda")


def test_auto_finds_a_device():
    assert make_fabric("auto").device.type in ("cpu", "cuda", "mps")


def test_a_gpu_that_is_not_there_is_counted(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(CourseError, match="DEVICE is 'cuda:3', but there are 1 GPUs, counted from 0"):
        make_fabric("cuda:3")
