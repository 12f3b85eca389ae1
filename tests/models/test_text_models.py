"""The bag of words averages what is there and not the padding."""

import torch
from torch import nn

from course_utils.models.text import BagOfWords, predict_texts


def test_padding_and_order_make_no_difference():
    model = BagOfWords(num_words=9, feature_dim=4).eval()
    rows = torch.tensor([[1, 2, 3, 0], [3, 1, 2, 0], [0, 0, 0, 0]])
    first, second, empty = model(rows)
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(model(rows[:1, :3])[0], first)
    assert torch.isfinite(empty).all()


def test_word_vectors_are_averaged():
    model = BagOfWords(num_words=3, feature_dim=2)
    expected = model.vectors.weight[[1, 3]].mean(dim=0)
    torch.testing.assert_close(model.vectors(torch.tensor([[1, 3, 0]]))[0], expected)


def test_prediction_leaves_the_model_as_it_was():
    model = nn.Sequential(BagOfWords(num_words=5, feature_dim=4), nn.Linear(4, 3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    word_ids = torch.randint(0, 6, (25, 7), generator=torch.Generator().manual_seed(0))
    whole = predict_texts(model, word_ids)
    assert torch.equal(predict_texts(model, word_ids, batch_size=4), whole)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
