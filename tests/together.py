"""What the processes of `test_together.py` do: run as a script, once for each process."""

import sys
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from course_utils.devices import make_fabric
from course_utils.models.synced_batch_norm import synchronize_batch_norm
from course_utils.optimizers import make_optimizers
from course_utils.pretext.contrastive import multi_view
from course_utils.pretext.gathering import gather_views
from course_utils.pretext.masking import MaskingRules
from course_utils.pretraining.masked_words import make_loss as make_masked_loss
from course_utils.pretraining.recipe import share_of_views
from course_utils.processes import Place
from course_utils.teamwork import Team
from course_utils.training import Step, Stopped, fit
from course_utils.views import ViewSettings

IMAGES = torch.randint(0, 256, (40, 3, 12, 12), generator=torch.Generator().manual_seed(1)).byte()
BATCH = 8


class Small(nn.Module):
    """A network with both kinds of batch norm, in float64 so that only true differences count."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        maps = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.layers = nn.Sequential(maps, nn.Linear(24, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 5))
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        projections: Tensor = self.layers(images.double())
        return projections


def contrast(model: nn.Module, step: Step) -> dict[str, Tensor]:
    views = share_of_views(IMAGES[step.indices], ViewSettings(size=8), step, copies=3)
    return {"loss": multi_view(gather_views(model(views).chunk(3)), 0.2)}


def train(fabric: Fabric, **changes: object) -> dict[str, object]:
    """Return the losses and the trained weights."""
    model = Small()
    options = {
        "num_examples": len(IMAGES),
        "num_epochs": 3,
        "batch_size": BATCH,
        "optimizers": make_optimizers(model, "muon", 0.05),
        "seed": 3,
        **changes,
    }
    history = fit(model, contrast, fabric=fabric, **options)
    return {"losses": history.column("loss"), "weights": model.state_dict()}


def normalize(team: Team) -> dict[str, object]:
    """Return batch norm's output, running statistics and gradients for the whole batch, as far as they are ours."""
    model = nn.Sequential(nn.BatchNorm2d(3)).double()
    if team.size > 1:
        synchronize_batch_norm(model, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    whole = 100 + torch.randn(8, 3, 4, 4, generator=generator, dtype=torch.float64)
    values = team.share(whole).clone().requires_grad_()
    out = model(values)
    team.share(torch.randn(8, 3, 4, 4, generator=generator, dtype=torch.float64)).mul(out.square()).sum().backward()
    return {
        "out": out.detach(),
        "gradient": values.grad,
        "of_scale": model[0].weight.grad,
        "mean": model[0].running_mean,
        "var": model[0].running_var,
    }


class Guess(nn.Module):
    """Words from the two around them, enough to have gradients."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.predict = nn.Embedding(30, 6), nn.Linear(6, 30)
        self.double()

    def forward(self, tokens: Tensor, chosen: Tensor) -> Tensor:
        x = self.embed(tokens)
        logits: Tensor = self.predict((x + x.roll(1, 1) + x.roll(-1, 1))[chosen])
        return logits


def guess_words(fabric: Fabric) -> list[float]:
    """Return the losses of masked words, of which each process is asked for another number."""
    blocks = torch.randint(5, 30, (24, 7), generator=torch.Generator().manual_seed(2))
    blocks[::3, 2:] = 0  # shorter texts, so that shares differ in length
    model = Guess()
    optimizers = [torch.optim.SGD(model.parameters(), 0.5)]
    compute_loss = make_masked_loss(MaskingRules(30, 5, 4, rate=0.4), blocks)
    history = fit(
        model,
        compute_loss,
        num_examples=24,
        num_epochs=3,
        batch_size=8,
        optimizers=optimizers,
        fabric=fabric,
        seed=1,
    )
    return history.column("loss")


def stop_in_between(fabric: Fabric, checkpoint: Path) -> int:
    """Train until the last process is asked to stop, and return after which step that was."""
    answers = iter([False] * 6 + [fabric.global_rank == fabric.world_size - 1])
    try:
        train(fabric, checkpoint=checkpoint, stop=lambda: next(answers))
    except Stopped as stopped:
        return stopped.step
    return 0


def everything(fabric: Fabric) -> dict[str, object]:
    """Return all that processes together must do as one does alone."""
    return {"normalized": normalize(Team.of(fabric)), "trained": train(fabric), "words": guess_words(fabric)}


def main(folder: Path, rank: int, size: int, port: int) -> None:
    """Do everything as one of `size` processes, and keep what came out."""
    fabric = make_fabric("cpu", "32-true", Place(rank, size, rank, size, port=port, patience=20))
    fabric.launch()
    found = everything(fabric)
    found["stopped"] = stop_in_between(fabric, folder / "stopped.ckpt")
    torch.save({**found, "folder": str(folder)}, folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
