import io

import torch
from PIL import Image

from course_utils.plotting.video import animate, encode_gif, tile_clips


def test_clips_lie_side_by_side():
    clips = torch.stack([torch.full((2, 1, 2, 3), value) for value in (0.1, 0.2, 0.3)])
    tiled = tile_clips(clips, columns=2)
    assert tiled.shape == (2, 1, 6, 8)
    for value, (y, x) in {0.1: (0, 0), 0.2: (0, 4), 0.3: (3, 0), 0.0: (3, 4)}.items():
        assert (tiled[:, :, y : y + 2, x : x + 3] == value).all()


def test_a_gif_holds_every_frame_and_runs_on():
    frames = torch.linspace(0, 1, 4).view(4, 1, 1, 1).expand(4, 3, 5, 6)
    with Image.open(io.BytesIO(encode_gif(frames, zoom=2))) as picture:
        assert (picture.n_frames, picture.size, picture.info["loop"]) == (4, (12, 10), 0)


def test_a_notebook_shows_it_without_a_network():
    shown = animate(torch.rand(3, 4, 1, 8, 8), 2, "digits in motion")
    data, metadata = shown._repr_mimebundle_()
    assert set(data) == {"image/gif"}
    assert metadata["alt"] if "alt" in metadata else metadata["image/gif"]["alt"]
