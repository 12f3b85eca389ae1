"""SimCLR's pretraining, as in notebook 05."""

from lightning_fabric import Fabric
from torch import Tensor, nn

from course_utils.data.images import ImageSplits, load_images
from course_utils.data.streaming import ImageStream
from course_utils.evaluation import Labeled, extract_features, knn_accuracy, quick_probe_accuracy
from course_utils.models.encoder_files import save_encoder
from course_utils.models.vision import Encoder, build_encoder, build_head
from course_utils.optimizers import make_optimizers
from course_utils.pretext import contrastive
from course_utils.pretext.gathering import gather_views
from course_utils.pretraining.image_sources import ImageSource, choose_source
from course_utils.pretraining.recipe import Pretraining, share_of_views
from course_utils.running.records import Record
from course_utils.running.settings import SimCLRSettings
from course_utils.training import History, LossFunction, Step
from course_utils.views import ViewSettings


def prepare(settings: SimCLRSettings, fabric: Fabric, record: Record, stream: ImageStream | None = None) -> Pretraining:
    """Return notebook 05's pretraining (`stream`: see `choose_source`); torch's global generator was seeded."""
    splits = load_images(settings.dataset, settings.image_size, settings.num_train_images)
    source = choose_source(splits.train.images, stream, fabric.device)
    encoder = build_encoder(settings.encoder, *source.statistics())
    sizes = (encoder.feature_dim, settings.hidden_dim, settings.projection_dim)
    model = nn.Sequential(encoder, build_head(settings.head, *sizes))
    num_steps = len(source) // settings.batch_size * settings.num_epochs
    return Pretraining(
        "simclr",
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
            "callback": lambda _: read_thermometers(encoder, splits),
            "callback_steps": max(num_steps // settings.num_readings, 1),
            "title": "SimCLR",
        },
        lambda history: _keep(settings, record, encoder, len(source), history),
    )


def make_loss(settings: SimCLRSettings, source: ImageSource) -> LossFunction:
    """Return the loss of a batch's views, with the negatives of all processes.

    Args:
        settings: views, temperature, loss.
        source: of the images.
    """
    stages = [
        ViewSettings(
            size=size,
            min_area=settings.min_area,
            color_strength=settings.color_strength,
            gray_prob=settings.gray_prob,
            blur_prob=settings.blur_prob,
        )
        for size in settings.view_sizes
    ]

    def compute_loss(model: nn.Module, step: Step) -> dict[str, Tensor]:
        batch = source.take(step)  # (N, 3, H, W)
        views = share_of_views(batch, step.stage(stages), step, settings.num_views)  # (K N, 3, size, size)
        z = gather_views(model(views).chunk(settings.num_views))  # K times (N of all processes, dim)
        loss = contrastive.multi_view(z, settings.temperature, settings.loss, normalize=settings.normalize)
        return {"loss": loss}

    return compute_loss


def read_thermometers(encoder: Encoder, splits: ImageSplits) -> dict[str, float]:
    """Return what neighbors and a linear probe make of the features, on validation images."""
    bank = splits.train.sample_per_class(100)
    parts = (bank, splits.validation)
    data = [Labeled(extract_features(encoder, part.images), part.labels) for part in parts]
    return {
        "knn": knn_accuracy(data[0], data[1], k=min(20, len(bank)), num_classes=splits.num_classes),
        "probe": quick_probe_accuracy(data[0], data[1], splits.num_classes, l2=0.1),
    }


def _keep(settings: SimCLRSettings, record: Record, encoder: Encoder, num_images: int, history: History) -> None:
    num_seen = settings.num_views * settings.batch_size * len(history.steps)
    last_losses = history.column("loss")[-20:]
    final = history.epochs[-1]
    record.metric("image/simclr/pretraining_seconds", history.seconds)
    record.metric("image/simclr/views_per_second", num_seen / history.seconds)
    record.metric("image/simclr/loss", sum(last_losses) / len(last_losses))
    record.metric("image/simclr/knn/validation_accuracy", final["knn"])
    record.metric("image/simclr/validation_accuracy", final["probe"])
    info = record.encoder_info(settings.encoder, "SimCLR", num_train_images=num_images)
    save_encoder(record.encoder_path("simclr"), encoder, info)
