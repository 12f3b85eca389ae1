"""Exercises of notebook 03."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess
from course_utils.pretext.rotation import rotate, rotate_all


def check_half_turn(function: Callable[[Tensor], Tensor]) -> Verdict:
    """Check images (N, C, side, side) → the same turned by 180°."""
    images = torch.arange(2 * 3 * 4 * 4).view(2, 3, 4, 4)
    return judge_function(
        "Upside down",
        function,
        lambda images: rotate(images, 2),
        [(images,)],
        mistakes=[
            Mistake(
                "a mirror image, top and bottom exchanged",
                lambda images: images.flip(2),
                "Turn a page with letters on it: are they mirrored afterwards?",
            ),
            Mistake(
                "a mirror image, left and right exchanged",
                lambda images: images.flip(3),
                "Is the sky below now?",
            ),
            Mistake("a quarter turn", lambda images: rotate(images, 1), "And once more?"),
            Mistake("a quarter turn, with the clock", lambda images: rotate(images, 3), "And once more?"),
            Mistake(
                "a reflection at the diagonal",
                lambda images: images.transpose(2, 3),
                "That exchanges rows and columns, and mirrors. Which two flips make a half turn?",
            ),
            Mistake(
                "a flip of the wrong dimensions",
                lambda images: images.flip(0, 1),
                "Dimension 0 counts the images and 1 their colors; height and width are 2 and 3.",
            ),
        ],
        hint="A pixel of the first row and first column goes to the last row and last column.",
        praise="Pixels moved, none was mixed: nothing gives the turn away but what is in the picture.",
    )


def check_turn_labels(function: Callable[[int], Tensor]) -> Verdict:
    """Check number of images → labels (4 N,) of all images upright, then all by a quarter, and so on."""
    return judge_function(
        "Labels that nobody gave",
        function,
        lambda num_images: rotate_all(torch.zeros(num_images, 1, 2, 2))[1],
        [(3,), (5,)],
        mistakes=[
            Mistake(
                "the order 0 1 2 3, 0 1 2 3, …, image by image",
                lambda num_images: torch.arange(4).repeat(num_images),
                "Here all images come upright first, then all of them turned once.",
            ),
            Mistake(
                "as many labels as there are images",
                lambda num_images: torch.zeros(num_images),
                "Each image is shown in four turns, and each turn needs its label.",
            ),
            Mistake(
                "degrees",
                lambda num_images: 90 * torch.arange(4).repeat_interleave(num_images),
                "Cross-entropy wants the class's number: 0, 1, 2 or 3.",
            ),
        ],
        hint="For 2 images it is 0 0 1 1 2 2 3 3. Look for a method of torch.arange(4) that repeats each number.",
        praise="Every label is right, and there is no limit to how many there are.",
    )


def check_mirrored(guess: str | None, measure: Callable[[], Mapping[str, float]]) -> Verdict:
    """Check what is predicted of the pretext task's accuracy on mirrored images; `measure` returns two accuracies."""

    def decide(found: Mapping[str, float]) -> str:
        before, mirrored = found.values()
        if abs(mirrored - before) < 0.05:
            return "stays"
        return "falls to chance" if mirrored < 0.3 else "falls by half" if mirrored < before else "rises"

    return judge_guess(
        "Mirrored images",
        guess,
        ("stays", "falls by half", "falls to chance"),
        measure,
        decide,
        why="A mirrored frog has the same up. Nothing that tells up from down is lost, and crops were mirrored in "
        "training, too.",
        think="Look at a photo in a mirror. Can you still say which way is up?",
    )
