import torch

from course_utils.pretraining.recipe import share_of_views, weigh
from course_utils.training import Step
from course_utils.views import ViewSettings, simclr_views

IMAGES = torch.randint(0, 256, (6, 3, 12, 12), generator=torch.Generator().manual_seed(0)).byte()
SETTINGS = ViewSettings(size=8)


def step_of(batch, rank, size):
    part = len(batch) // size
    generator = torch.Generator().manual_seed(5)
    return Step(batch[rank * part : (rank + 1) * part], generator, 0.0, batch, rank)


def test_shares_of_views_are_those_that_one_process_draws():
    batch = torch.tensor([4, 0, 5, 2])
    whole = simclr_views(IMAGES[batch].repeat(3, 1, 1, 1), SETTINGS, torch.Generator().manual_seed(5))
    shares = []
    for rank in range(2):
        step = step_of(batch, rank, 2)
        shares.append(share_of_views(IMAGES[step.indices], SETTINGS, step, copies=3).chunk(3))
    assert torch.equal(torch.cat([torch.cat(pair) for pair in zip(*shares, strict=True)]), whole)
    alone = Step(batch, torch.Generator().manual_seed(5), 0.0)
    assert torch.equal(share_of_views(IMAGES[batch], SETTINGS, alone, copies=3), whole)


def test_weighted_means_of_parts_give_the_mean_of_all():
    values, asked = torch.randn(4, 5), torch.rand(4, 5) < 0.4
    batch = torch.arange(4)
    parts = []
    for rank in range(2):
        step = step_of(batch, rank, 2)
        own = asked[step.indices]
        parts.append(weigh(values[step.indices][own].mean(), own, asked, step))
    torch.testing.assert_close(torch.stack(parts).mean(), values[asked].mean())
