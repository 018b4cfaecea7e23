"""Prefix-tuning and prompt tuning that Graft trained open in PEFT, with the same logits."""

import warnings

import numpy
import pytest
from peft import get_peft_model_state_dict

import graft
from conftest import MINILM, TOLERANCE
from peft_models import loaded, logits

LABELS = ["delivery", "refund", "account"]

CASES = {
    "prefix": ("prefix_tuning", dict(num_virtual_tokens=4)),
    "prefix-projected": ("prefix_tuning", dict(prefix_projection=True, encoder_hidden_size=9)),
    "prefix-pooler": ("prefix_tuning", dict(modules_to_save=["pooler"])),
    "prompt": ("prompt_tuning", dict(num_virtual_tokens=4)),
    "prompt-of-words": ("prompt_tuning", dict(prompt_tuning_init="SAMPLE_VOCAB")),
}


@pytest.mark.parametrize(("method", "settings"), CASES.values(), ids=CASES)
def test_an_adapter_trained_in_graft_gives_the_same_logits_in_peft(
    method, settings, minilm, minilm_tokenizer, short_texts, tmp_path
):
    texts, ids = short_texts["texts"], short_texts["ids"]
    adapter = graft.Adapter.create(minilm, method, settings, seed=3)
    adapter.set_head("sequence_classification", LABELS)
    labels = [row % len(LABELS) for row in range(len(texts))]
    with (
        graft.Trainer(minilm, adapter, learning_rate=5e-2, seed=1) as trainer,
        graft.Batch(minilm_tokenizer, texts, labels=labels) as batch,
    ):
        for _ in range(5):
            trainer.step(batch)
    found = numpy.asarray(graft.Session(minilm, minilm_tokenizer, adapter).classify(texts))
    adapter.save(tmp_path / "graft")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # PEFT only warns of missing tensors
        warnings.filterwarnings("ignore", category=FutureWarning)
        theirs = loaded(MINILM, tmp_path / "graft", len(LABELS))
    expected = logits(theirs, ids).numpy()
    assert numpy.ptp(expected, axis=1).max() > 0.05, "the training changed nothing"
    assert numpy.abs(found - expected).max() < TOLERANCE
    assert "prompt_embeddings" in get_peft_model_state_dict(theirs)
