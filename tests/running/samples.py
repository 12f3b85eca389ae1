"""A stand-in for the course's notebooks: their settings may change, these don't."""

from pathlib import Path

import nbformat

from course_utils.running import parameter_types as types
from course_utils.running.settings import ImageSettings

NAME = "05_simclr"


class SampleSettings(ImageSettings):
    num_epochs: types.NumEpochs
    batch_size: types.BatchSize
    learning_rate: types.LearningRate
    temperature: types.Temperature
    gray_prob: types.Probability
    loss: types.ContrastiveLoss
    num_neighbors: types.NumNeighbors
    color_strength: types.Strength
    seeds: types.Seeds


MEASURE = 'record.metric("image/simclr/linear/test_accuracy", 0.25 * NUM_EPOCHS)\n'
SAMPLE = {
    "SEED": 0,
    "RUN_DIR": "runs/interactive",
    "DATASET": "cifar10-mini",
    "IMAGE_SIZE": 32,
    "NUM_TRAIN_IMAGES": 0,
    "DEVICE": "cpu",
    "PRECISION": "32-true",
    "NUM_EPOCHS": 18,
    "BATCH_SIZE": 256,
    "LEARNING_RATE": 0.1,
    "TEMPERATURE": 0.1,
    "GRAY_PROB": 0.1,
    "LOSS": "dcl",
    "NUM_NEIGHBORS": 20,
    "COLOR_STRENGTH": 0.5,
    "SEEDS": [0, 1, 2],
}

PARAMETERS = """\
NUM_EPOCHS = 2  # passes over the data
LEARNING_RATE = 0.1  # at its peak
SEED = 0  # of everything that is drawn
RUN_DIR = "runs/interactive"  # where results go
"""
START = """\
from course_utils.running.records import Record
parameters = dict(NUM_EPOCHS=NUM_EPOCHS, LEARNING_RATE=LEARNING_RATE, SEED=SEED, RUN_DIR=RUN_DIR)
environment = {"device": "cpu", "precision": "32-true"}
record = Record("{name}", RUN_DIR, parameters, environment)
"""
FINISH = "record.finish()\n"


def write_notebook(
    folder: Path, name: str, *cells: str, parameters: str = PARAMETERS, title: str = "# A title", finish: str = FINISH
) -> Path:
    """Write a notebook with parameters, a record and the given cells."""
    sources = (START.replace("{name}", name), *(cells or (MEASURE,)), finish)
    content = nbformat.v4.new_notebook()
    content.cells = [
        nbformat.v4.new_markdown_cell(title),
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        *(nbformat.v4.new_code_cell(source) for source in sources),
    ]
    content.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    folder.mkdir(exist_ok=True)
    nbformat.write(content, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"
