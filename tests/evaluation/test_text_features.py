"""Features of passages: whole words of a passage, each counted once, however it is cut."""

import pytest
import torch

from course_utils.data.text import LabeledTexts, TextSplits
from course_utils.data.tokenization import CLS, NUM_SPECIAL, SEP, train_tokenizer
from course_utils.evaluation.text_features import (
    PassageClassifier,
    embed_passages,
    embed_splits,
    pack_passages,
    passage_means,
)
from course_utils.models.language import LanguageEncoder, LanguageShape

TEXTS = ("peace is better than war and war is not peace", "the senate", "")


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    pieces = train_tokenizer(TEXTS * 3, 60)
    encoder = LanguageEncoder(LanguageShape(len(pieces), max_tokens=8, width=16, head_dim=8, quiet_start=False))
    return pieces, encoder, pack_passages(TEXTS, pieces, 8)


def test_passages_hold_all_tokens(made):
    pieces, _, passages = made
    encoded = pieces.encode(TEXTS)
    assert passages.shape == (3, -(-len(encoded[0]) // 6), 8)
    for passage, numbers in zip(passages, encoded, strict=True):
        assert passage[passage >= NUM_SPECIAL].tolist() == numbers
    assert (passages[:, :, 0] == CLS).all()
    assert ((passages == SEP).sum(dim=2) == 1).all()


def test_means_are_of_ordinary_tokens(made):
    _, encoder, passages = made
    with torch.inference_mode():
        vectors = torch.cat([encoder(part[None])[0][part >= NUM_SPECIAL] for part in passages[0]])
        torch.testing.assert_close(passage_means(encoder, passages)[0], vectors.mean(dim=0), atol=1e-5, rtol=1e-5)
        assert passage_means(encoder, passages)[2].abs().max() == 0, "no words, no features, and no NaN"


def test_embedding_leaves_the_encoder_alone(made):
    _, encoder, passages = made
    encoder.train()
    features = embed_passages(encoder, passages, batch_size=2)
    assert encoder.training
    assert not features.requires_grad
    torch.testing.assert_close(features, passage_means(encoder, passages).detach(), atol=1e-5, rtol=1e-5)


def test_splits_keep_their_labels(made):
    pieces, encoder, _ = made
    parts = [LabeledTexts(TEXTS[:count], torch.arange(count)) for count in (3, 2, 1)]
    texts = TextSplits("", *parts, ("a", "b", "c"), "")
    names = ("train", "validation", "test")
    passages = {name: pack_passages(getattr(texts, name).texts, pieces, 8) for name in names}
    features = embed_splits(encoder, passages, texts)
    assert [len(features.train), len(features.validation), len(features.test)] == [3, 2, 1]
    assert features.validation.labels.tolist() == [0, 1]
    assert features.test.features.shape == (1, 16)


def test_fine_tuning_reaches_the_encoder(made):
    _, encoder, passages = made
    classifier = PassageClassifier(encoder, 3)
    logits = classifier(passages)
    assert logits.shape == (3, 3)
    logits.logsumexp(dim=1).sum().backward()
    assert encoder.embed.weight.grad.abs().max() > 0
