"""A stand-in for the course's notebooks: their settings may change, these don't."""

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
