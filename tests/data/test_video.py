"""Clips against a slow simulation, and one's own videos with everything that can be wrong with them."""

import math
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from course_utils.data.clip_sources import check_clips, clips_fingerprint, open_clips
from course_utils.data.video import DIRECTIONS, Pictures, bounce, direction_of, load_pictures, make_clips, render
from course_utils.data.video_files import read_frames
from course_utils.errors import DataError


def seeded(number=0):
    return torch.Generator().manual_seed(number)


def simulate(place, velocity, room, num_frames):
    """Fly from wall to wall; return the places and the signs of the way."""
    places, signs, sign = [], [], 1.0
    for _ in range(num_frames):
        places.append(place)
        signs.append(sign)
        left = velocity
        while left:
            wall = room if left > 0 else 0.0
            if abs(left) <= abs(wall - place):
                place, left = place + left, 0.0
            else:
                left = -(left - (wall - place))
                place, velocity, sign = wall, -velocity, -sign
    return places, signs


@settings(deadline=None)
@given(st.floats(0.5, 15.5), st.floats(-9, 9), st.integers(1, 12))
def test_bouncing_is_flying_from_wall_to_wall(start, velocity, num_frames):
    found = bounce(start + velocity * torch.arange(num_frames, dtype=torch.float64), 16.0)[0]
    expected = torch.tensor(simulate(start, velocity, 16.0, num_frames)[0], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_the_sign_turns_at_every_wall():
    places, signs = bounce(torch.tensor([1.0, 9.0, 11.0, 19.0, 21.0, -1.0]), 10.0)
    assert places.tolist() == [1.0, 9.0, 9.0, 1.0, 1.0, 1.0]
    assert signs.tolist() == [1.0, 1.0, -1.0, -1.0, 1.0, -1.0]


@pytest.mark.parametrize(("x", "y", "name"), [(1, 0, "right"), (0, 1, "down"), (-1, 0.1, "left"), (1, -1, "up right")])
def test_directions_are_as_seen_on_a_screen(x, y, name):
    assert DIRECTIONS[direction_of(torch.tensor([[float(x), float(y)]]))] == name


def render_by_hand(picture, x, y, size):
    """Each pixel of the box mixes the four of the picture around the point it looks at; beyond the picture is dark."""
    side = picture.shape[-1]
    frame = torch.zeros(size, size)
    for row in range(size):
        for column in range(size):
            for i in range(side):
                for j in range(side):
                    weight = max(0.0, 1 - abs(row - y - i)) * max(0.0, 1 - abs(column - x - j))
                    frame[row, column] += weight * picture[0, i, j]
    return frame


def test_rendering_is_bilinear():
    picture, places = torch.rand(1, 1, 4, 4, generator=seeded()), torch.tensor([[[1.25, 3.5], [0.0, 4.0]]])
    frames = render(picture, places, 8)
    for number, (x, y) in enumerate(places[0].tolist()):
        torch.testing.assert_close(frames[0, number, 0], render_by_hand(picture[0], x, y, 8))


def test_whole_places_copy_pixels_and_light_is_never_lost():
    picture = torch.rand(1, 3, 4, 4, generator=seeded())
    frames = render(picture, torch.tensor([[[2.0, 1.0], [2.5, 3.75]]]), 8)
    assert torch.equal(frames[0, 0, :, 1:5, 2:6], picture[0])
    torch.testing.assert_close(frames.sum(dim=(3, 4)), picture.sum(dim=(2, 3))[:, None].expand(1, 2, 3))


def test_clips_know_what_moves_and_where_to():
    pictures = Pictures(torch.rand(6, 1, 4, 4, generator=seeded()), torch.arange(6))
    clips = make_clips(pictures, torch.tensor([4, 0, 4]), 5, 32, seeded(1))
    again = make_clips(pictures, torch.tensor([4, 0, 4]), 5, 32, seeded(1))
    assert torch.equal(clips.frames, again.frames)
    assert clips.labels.tolist() == [4, 0, 4]
    assert clips.frames.shape == (3, 5, 1, 32, 32)
    assert ((clips.places >= 0) & (clips.places <= 28)).all()
    assert len(clips.take(torch.tensor([2]))) == 1


def test_directions_are_those_of_the_places_where_no_wall_is_near():
    pictures = Pictures(torch.ones(1, 1, 4, 4), torch.zeros(1, dtype=torch.int64))
    clips = make_clips(pictures, torch.zeros(300, dtype=torch.int64), 5, 64, seeded())
    free = ((clips.places > 3.1) & (clips.places < 56.9)).all(dim=2).all(dim=1)
    steps = clips.places[:, 3] - clips.places[:, 2]
    assert free.sum() > 100
    assert torch.equal(direction_of(steps)[free], clips.directions[free])
    speed = steps[free].norm(dim=1)
    assert speed.min() >= 1 - 1e-4
    assert speed.max() <= 3 + 1e-4
    assert math.isclose(clips.directions.bincount(minlength=8).min() / 300, 1 / 8, abs_tol=0.06)


@pytest.mark.parametrize(("num_frames", "size"), [(4, 32), (1, 32), (5, 6)])
def test_clips_that_make_no_sense_are_refused(num_frames, size):
    pictures = Pictures(torch.ones(1, 1, 4, 4), torch.zeros(1, dtype=torch.int64))
    with pytest.raises(ValueError, match="clips need an odd number"):
        make_clips(pictures, torch.zeros(1, dtype=torch.int64), num_frames, size, seeded())


def test_no_digit_is_in_two_splits():
    digits = load_pictures("digits", 8)
    parts = (digits.train, digits.validation, digits.test)
    assert sum(map(len, parts)) == 1797
    rows = [set(map(tuple, part.pictures.flatten(1).tolist())) for part in parts]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]
    assert all(part.labels.bincount(minlength=10).min() > 5 for part in parts)


def write_frames(folder, count, size=(20, 16)):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", size, (number % 256, 0, 0)).save(folder / f"{number:04}.png")


def test_a_folder_of_frames_becomes_clips_in_order(tmp_path):
    write_frames(tmp_path, 60)
    source = open_clips(str(tmp_path), 16, 5)
    assert source.questions == {}
    parts = [source.draw(split, 50, seeded()).frames[..., 0, 0, 0] * 255 for split in ("train", "validation", "test")]
    for part in parts:
        torch.testing.assert_close(part[:, 1:] - part[:, :-1], torch.ones(50, 4))
    assert parts[0].max() < parts[1].min()
    assert parts[1].max() < parts[2].min()


def test_a_changed_video_is_noticed(tmp_path):
    write_frames(tmp_path / "film", 3)
    before = clips_fingerprint(str(tmp_path / "film"))
    assert clips_fingerprint(str(tmp_path / "film")) == before
    write_frames(tmp_path / "film", 4)
    assert clips_fingerprint(str(tmp_path / "film")) != before
    assert clips_fingerprint("digits") == "digits"
    with pytest.raises(DataError, match="can't be read: No such file"):
        clips_fingerprint(str(tmp_path / "nothing.mp4"))


def test_a_gif_is_a_video(tmp_path):
    pictures = [Image.new("RGB", (8, 8), (40 * number, 0, 0)) for number in range(5)]
    pictures[0].save(tmp_path / "film.gif", save_all=True, append_images=pictures[1:])
    assert read_frames(tmp_path / "film.gif", 8)[:, 0, 0, 0].tolist() == [0, 40, 80, 120, 160]


def test_what_is_wrong_with_a_video_is_said_in_one_sentence(tmp_path, monkeypatch):
    def complaint(path):
        with pytest.raises(DataError) as caught:
            check_clips(str(path), 16, 5)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    write_frames(tmp_path / "few", 12)
    assert "has 12 frames, too few for clips of 5: it takes 50" in complaint(tmp_path / "few")
    write_frames(tmp_path / "mixed", 3)
    Image.new("RGB", (9, 9)).save(tmp_path / "mixed" / "0003.png")
    assert "0000.png has 20 × 16 pixels and 0003.png 9 × 9" in complaint(tmp_path / "mixed")
    (tmp_path / "few" / "0005.png").write_bytes(b"no picture")
    assert "0005.png can't be read" in complaint(tmp_path / "few")
    assert "there is no video or folder" in complaint(tmp_path / "nothing.mp4")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    assert "can't be decoded as a video" in complaint(tmp_path / "broken.gif")
    Image.new("RGB", (9, 9)).save(tmp_path / "still.png")
    assert "holds 1 frame" in complaint(tmp_path / "still.png")
    (tmp_path / "film.mp4").write_bytes(b"no film")
    monkeypatch.setitem(sys.modules, "imageio", None)
    assert "pip install 'imageio[pyav]'" in complaint(tmp_path / "film.mp4")
