"""Outputs fit for a repository."""

import base64
import io

import pytest
from PIL import Image

from course_utils.errors import CourseError
from course_utils.running.outputs import WIDGET, WIDGET_NOTE, clean_outputs, shrink_pictures, tidy_text
from course_utils.running.pictures import Shrinking


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(data, metadata=None):
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


def png(size=(400, 300)):
    """Return a picture with more colors than a palette holds."""
    picture = Image.merge("RGB", [Image.effect_noise(size, 60) for _ in range(3)])
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def test_bars_and_progress_lines_are_cut_and_the_last_word_stays():
    text = "start\n 10%|█ \r 50%|███ \r100%|██████\nSimCLR: 40 % · loss 1.2 · 30 s left\nSimCLR: 20 of 20 in 50 s\n"
    assert tidy_text(text) == "start\n100%|██████\nSimCLR: 20 of 20 in 50 s\n"


def test_what_is_printed_in_pieces_is_one_text_without_this_machines_folders():
    outputs = [stream("a\nin "), stream(["/home/me/course/runs/", "laptop\n"]), stream("oh\n", "stderr")]
    cleaned = clean_outputs(outputs, "/home/me/course")
    assert [output["text"] for output in cleaned] == [["a\n", "in runs/laptop\n"], ["oh\n"]]


def test_progress_alone_leaves_nothing():
    assert clean_outputs([stream("x: 10 % · 3 s left\n")], "/root") == []


def test_a_widget_that_can_be_read_without_a_browser_stays_readable():
    [cleaned] = clean_outputs([shown({WIDGET: {}, "text/html": "<p>Why?</p>", "text/plain": "Why?"})], "/root")
    assert cleaned["data"] == {"text/html": ["<p>Why?</p>"], "text/plain": ["Why?"]}


def test_a_widget_becomes_a_sentence_and_what_is_no_text_is_left_out():
    [cleaned] = clean_outputs([shown({WIDGET: {"model_id": "1"}, "text/plain": "Labeler(…)"})], "/root")
    assert "".join(cleaned["data"]["text/markdown"]) == WIDGET_NOTE
    assert WIDGET not in cleaned["data"]


def test_a_picture_keeps_its_text_for_screen_readers():
    about = {"image/png": {"alt": "Ten frogs", "width": 100}}
    [cleaned] = clean_outputs([shown({"image/png": "AAAA", "text/plain": "<Image object>"}, about)], "/root")
    assert cleaned["data"]["text/plain"] == ["Ten frogs"]
    assert cleaned["metadata"] == about


def test_an_error_is_not_published():
    with pytest.raises(CourseError, match="ended with KeyError"):
        clean_outputs([{"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []}], "/root")


def test_pictures_shrink_and_keep_their_texts():
    about = {"image/png": {"alt": "Noise", "width": 100}}
    text, picture = stream("a"), shown({"image/png": base64.b64encode(png()).decode(), "text/plain": "Noise"}, about)
    first, second = shrink_pictures([text, picture], Shrinking(0.5, 32, 75))
    assert first is text
    assert second["data"].keys() == {"image/jpeg", "text/plain"}
    assert len(second["data"]["image/jpeg"]) < len(picture["data"]["image/png"]) / 4
    assert second["metadata"] == {"image/jpeg": about["image/png"]}
