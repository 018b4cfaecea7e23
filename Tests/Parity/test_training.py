"""Training steps of Graft against PEFT on the real MiniLM, dropout off: the same losses, the same adapter."""

import json

import pytest
import torch
from peft import PeftModel

import graft
from conftest import DATA, MINILM, TOLERANCE
from peft_models import adapted, base, logits, padded

STEPS, ROWS, LABELS = 12, 8, 2

#: Low, because Adam turns the rounding of a gradient near zero into a step of this size: at 1e-3 two runs of torch that
#: differ in their attention kernel drift apart by more than the tolerance within ten steps.
LEARNING_RATE = 2e-4

VARIANTS = {
    "query-value": dict(r=8, lora_alpha=16, target_modules=["query", "value"]),
    "everything": dict(r=4, target_modules="all-linear", bias="all", lora_bias=True),
}


@pytest.fixture(scope="module")
def without_dropout(tmp_path_factory):
    """MiniLM whose config.json says that nothing is dropped."""
    folder = tmp_path_factory.mktemp("models") / "minilm"
    folder.mkdir()
    for path in MINILM.iterdir():
        (folder / path.name).symlink_to(path)
    settings = json.loads((MINILM / "config.json").read_text())
    settings |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="module")
def batches(minilm_tokenizer) -> list[dict]:
    """Twelve batches of eight ragged sentences of SST-2."""
    lines = (DATA / "sst2" / "dev.tsv").read_text(encoding="utf-8").splitlines()[1 : 1 + STEPS * ROWS]
    rows = [line.rsplit("\t", 1) for line in lines]
    made = []
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        ids = [minilm_tokenizer.encode(text).ids for text, _ in part]
        made.append({"ids": ids, "labels": [int(label) for _, label in part]})
    return made


def train_in_peft(folder, adapter, batches) -> tuple[list[float], PeftModel]:
    model = PeftModel.from_pretrained(base(folder, LABELS), adapter, is_trainable=True).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.01)
    losses = []
    for batch in batches:
        loss = model(**padded(batch["ids"]), labels=torch.tensor(batch["labels"])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses, model.eval()


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_losses_and_logits_follow_peft(settings, without_dropout, batches, minilm_tokenizer, tmp_path):
    adapted(without_dropout, LABELS, seed=4, **settings).save_pretrained(tmp_path / "start")
    expected, theirs = train_in_peft(without_dropout, tmp_path / "start", batches)

    model = graft.Model(without_dropout)
    adapter = graft.Adapter.load(model, tmp_path / "start")
    found = []
    options = dict(learning_rate=LEARNING_RATE, weight_decay=0.01, maximum_gradient_norm=1.0, schedule="constant")
    with graft.Trainer(model, adapter, **options) as trainer:
        for batch in batches:
            with graft.Batch.from_tokens(batch["ids"], labels=batch["labels"]) as rows:
                found.append(trainer.step(rows).loss)
    assert found == pytest.approx(expected, abs=TOLERANCE)

    adapter.save(tmp_path / "trained")
    ours = PeftModel.from_pretrained(base(without_dropout, LABELS), tmp_path / "trained").eval()
    for batch in batches:
        difference = (logits(ours, batch["ids"]) - logits(theirs, batch["ids"])).abs().max()
        # The losses agree; where a gradient is near zero Adam divides rounding by rounding, and moves by the learning
        # rate in either direction.
        assert difference < 5e-3, f"after {STEPS} steps the logits differ by {difference}"
