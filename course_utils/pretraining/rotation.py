"""The pretraining on rotations, as in notebook 03."""

from lightning_fabric import Fabric
from torch import Tensor, nn

from course_utils.data.images import ImageSplits, load_images
from course_utils.data.streaming import ImageStream
from course_utils.evaluation import accuracy, extract_features
from course_utils.models.encoder_files import save_encoder
from course_utils.models.vision import Encoder, build_encoder
from course_utils.optimizers import make_optimizers
from course_utils.pretext import rotation
from course_utils.pretraining.image_sources import ImageSource, choose_source
from course_utils.pretraining.recipe import Pretraining, share_of_views
from course_utils.running.records import Record
from course_utils.running.settings import RotationSettings
from course_utils.training import History, LossFunction, Step
from course_utils.views import ViewSettings


def prepare(
    settings: RotationSettings, fabric: Fabric, record: Record, stream: ImageStream | None = None
) -> Pretraining:
    """Return notebook 03's pretraining (`stream`: see `choose_source`); torch's global generator was seeded."""
    splits = load_images(settings.dataset, settings.image_size, settings.num_train_images)
    source = choose_source(splits.train.images, stream, fabric.device)
    encoder = build_encoder(settings.encoder, *source.statistics())
    model = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, len(rotation.FOUR_TURNS)))
    watched = splits.validation.sample_per_class(50).images
    return Pretraining(
        "four_turns",
        model,
        make_loss(settings, source),
        {
            "num_examples": len(source),
            "read": source.read,
            "num_epochs": settings.num_epochs,
            "batch_size": settings.batch_size,
            "optimizers": make_optimizers(
                model, settings.optimizer, settings.learning_rate, weight_decay=settings.weight_decay
            ),
            "seed": settings.seed,
            "callback": lambda _: {"pretext": share_told(model, watched)},
            "title": "four turns",
        },
        lambda history: _keep(settings, record, encoder, model, splits, len(source), history),
    )


def make_loss(settings: RotationSettings, source: ImageSource) -> LossFunction:
    """Return the loss of telling a batch's turns.

    Args:
        settings: views.
        source: of the images.
    """
    views = [
        ViewSettings(
            size=size,
            min_area=settings.min_area,
            color_strength=settings.color_strength,
            gray_prob=settings.gray_prob,
        )
        for size in settings.view_sizes
    ]

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        batch = source.take(step)  # (N, 3, H, W)
        turned, turns = rotation.rotate_all(share_of_views(batch, step.stage(views), step))  # (4N, 3, size, size)
        logits = model(turned)
        return {
            "loss": rotation.rotation_loss(logits, turns),
            "accuracy": rotation.rotation_accuracy(logits, turns),
        }

    return compute_loss


def share_told(model: nn.Module, images: Tensor) -> float:
    """Return the share of the images' four turns that the network tells right.

    Shape: (N, 3, side, side) uint8.
    """
    turned, turns = rotation.rotate_all(images)
    return accuracy(extract_features(model, turned).argmax(dim=1), turns)


def _keep(
    settings: RotationSettings,
    record: Record,
    encoder: Encoder,
    model: nn.Module,
    splits: ImageSplits,
    num_images: int,
    history: History,
) -> None:
    record.metric("image/rotation/pretraining_seconds", history.seconds)
    record.metric("image/rotation/views_per_second", 4 * settings.batch_size * len(history.steps) / history.seconds)
    record.metric("image/rotation/pretext/test_accuracy", share_told(model, splits.test.images))
    info = record.encoder_info(settings.encoder, "rotations", num_train_images=num_images)
    save_encoder(record.encoder_path("rotation"), encoder, info)
