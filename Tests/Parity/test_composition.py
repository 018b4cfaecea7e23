"""Several adapters on one row, as PEFT's active adapters."""

import numpy
import pytest
import torch
from peft.tuners.tuners_utils import BaseTunerLayer

import graft
from conftest import MINILM, TOLERANCE
from peft_models import CONFIGS, adapted, logits, randomise

PAIRS = {
    "lora": [dict(r=4, target_modules=["query", "value"]), dict(r=2, lora_alpha=3, target_modules=["query", "dense"])],
    "lora, dora": [dict(r=4, target_modules=["query", "dense"]), dict(r=2, target_modules=["query"], use_dora=True)],
    "dora": [dict(r=4, target_modules=["query"], use_dora=True), dict(r=2, target_modules=["query"], use_dora=True)],
    "ia3": [dict(method="ia3"), dict(method="ia3", target_modules=["key", "query"], feedforward_modules=[])],
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_stack_is_what_peft_makes_of_several_active_adapters(pair, minilm, minilm_tokenizer, short_texts, tmp_path):
    first, second = pair
    theirs = adapted(MINILM, 3, **first)
    own = {key: value for key, value in second.items() if key != "method"}
    theirs.add_adapter("second", CONFIGS[second.get("method", "lora")](task_type="SEQ_CLS", **own))
    torch.manual_seed(6)
    randomise(theirs, lambda name, _: ".second" in name)
    theirs.save_pretrained(tmp_path)
    # PEFT has no two heads at once: the last is that of the rows.
    for module in theirs.modules():
        if isinstance(module, BaseTunerLayer):
            module.set_adapter(["default", "second"])
    theirs.base_model.model.classifier.set_adapter("second")
    expected = logits(theirs.eval(), short_texts["ids"]).numpy()

    members = [graft.Adapter.load(minilm, tmp_path), graft.Adapter.load(minilm, tmp_path / "second")]
    session = graft.Session(minilm, minilm_tokenizer, graft.stack(*members), maximum_length=512)
    found = numpy.asarray(session.classify(short_texts["texts"]))
    assert numpy.abs(found - expected).max() < TOLERANCE
    alone = graft.Session(minilm, minilm_tokenizer, members[1], maximum_length=512)
    assert numpy.abs(found - numpy.asarray(alone.classify(short_texts["texts"]))).max() > 1e-3
