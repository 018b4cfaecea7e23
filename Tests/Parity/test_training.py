"""Training steps of Graft against PEFT on the real MiniLM, dropout off: the same losses, the same
adapter.
"""

import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from transformers import LlamaForCausalLM

import graft
from conftest import DATA, GOLDENS, MINILM, TOLERANCE
from graft.reports.weights import gradient_norms
from peft_models import adapted, base, gradients, graft_gradients, logits, padded

STEPS, ROWS, LABELS = 12, 8, 2

#: Rows of a batch that are candidates of one query.
CANDIDATES = 4

#: Low, because Adam turns the rounding of a gradient near zero into a step of this size: at 1e-3
#: two runs of torch that differ in their attention kernel drift apart by more than the tolerance
#: within ten steps.
LEARNING_RATE = 2e-4

#: Twelve steps of Adam amplify rounding: torch's float32 ends 2e-4 from its float64 here, Graft's
#: 1.5e-3. The sharp check of the arithmetic is that of the gradients.
LOGIT_TOLERANCE = 5e-3

#: Largest error of a gradient over the largest entry of its tensor, against float64. Torch's
#: float32 is within 7e-5, Graft's within 2.4e-4.
GRADIENT_TOLERANCE = 1e-3

VARIANTS = {
    "query-value": dict(r=8, lora_alpha=16, target_modules=["query", "value"]),
    "everything": dict(r=4, target_modules="all-linear", bias="all", lora_bias=True),
}

#: Whose gradients a report shows. AdaLoRA's steps prune ranks, and what is shown is of the others.
MAPPED = {
    "lora": dict(method="lora", r=4, target_modules="all-linear"),
    "ia3": dict(method="ia3"),
    "adalora": dict(method="adalora", init_r=4, target_r=2),
    "adalora-penalty": dict(method="adalora", init_r=6, target_r=1, tfinal=2, orth_reg_weight=3.0),
    "adalora-no-penalty": dict(method="adalora", init_r=4, target_r=1, orth_reg_weight=0.0),
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


def adamw(model) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.01)


def lora_plus(model) -> torch.optim.Optimizer:
    """Without decay, of which PEFT's has none for vectors."""
    return create_loraplus_optimizer(model, torch.optim.AdamW, lr=LEARNING_RATE, loraplus_lr_ratio=16)


def faster_head(model) -> torch.optim.Optimizer:
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    head = {"params": [p for name, p in trained if "classifier" in name], "lr": 20 * LEARNING_RATE}
    others = {"params": [p for name, p in trained if "classifier" not in name], "lr": LEARNING_RATE}
    return torch.optim.AdamW([others, head], weight_decay=0.01)


#: Of torch, with Graft's settings of the same.
OPTIMIZERS = {
    "adamw": (adamw, {"weight_decay": 0.01}),
    "lora-plus": (lora_plus, {"weight_decay": 0, "loraplus_lr_ratio": 16}),
    "faster-head": (faster_head, {"weight_decay": 0.01, "head_lr_ratio": 20}),
}


def cross_entropy(model, batch) -> torch.Tensor:
    return model(**padded(batch["ids"]), labels=torch.tensor(batch["labels"])).loss


def personalised_ranking(model, batch) -> torch.Tensor:
    """Bayesian personalised ranking (Rendle et al. 2009): -log sigmoid of how far what is liked is
    above what is not, the mean over all such pairs of the candidates of a query.
    """
    scores, liked = model(**padded(batch["ids"])).logits[:, 0], torch.tensor(batch["labels"], dtype=torch.bool)
    above = []
    for start in range(0, ROWS, CANDIDATES):
        own, is_liked = scores[start : start + CANDIDATES], liked[start : start + CANDIDATES]
        above.append((own[is_liked][:, None] - own[~is_liked][None, :]).flatten())
    return -torch.nn.functional.logsigmoid(torch.cat(above)).mean()


def train_in_peft(folder, adapter, batches, optimizer, loss_of=cross_entropy, labels=LABELS) -> tuple[list[float], PeftModel]:
    model = PeftModel.from_pretrained(base(folder, labels), adapter, is_trainable=True).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer(model)
    losses = []
    for batch in batches:
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses, model.eval()


@pytest.mark.parametrize("optimizer, chosen", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_losses_and_logits_follow_peft(
    settings, optimizer, chosen, without_dropout, batches, minilm_tokenizer, tmp_path
):
    adapted(without_dropout, LABELS, seed=4, **settings).save_pretrained(tmp_path / "start")
    expected, theirs = train_in_peft(without_dropout, tmp_path / "start", batches, optimizer)

    model = graft.Model(without_dropout)
    adapter = graft.Adapter.load(model, tmp_path / "start")
    found = []
    options = dict(learning_rate=LEARNING_RATE, maximum_gradient_norm=1.0, schedule="constant")
    with graft.Trainer(model, adapter, optimizer_settings=chosen, **options) as trainer:
        for batch in batches:
            with graft.Batch.from_tokens(batch["ids"], labels=batch["labels"]) as rows:
                found.append(trainer.step(rows).loss)
    assert found == pytest.approx(expected, abs=TOLERANCE)

    adapter.save(tmp_path / "trained")
    ours = PeftModel.from_pretrained(base(without_dropout, LABELS), tmp_path / "trained").eval()
    for batch in batches:
        difference = (logits(ours, batch["ids"]) - logits(theirs, batch["ids"])).abs().max()
        assert difference < LOGIT_TOLERANCE, f"after {STEPS} steps the logits differ by {difference}"


def test_rank_net_with_natural_logarithms_is_personalised_ranking(without_dropout, batches, tmp_path):
    adapted(without_dropout, 1, seed=4).save_pretrained(tmp_path / "start")
    expected, theirs = train_in_peft(without_dropout, tmp_path / "start", batches, adamw, personalised_ranking, 1)

    model = graft.Model(without_dropout)
    adapter = graft.Adapter.load(model, tmp_path / "start")
    found = []
    with graft.Trainer(
        model, adapter, loss="rank_net", loss_settings={"reduction_log": "natural"}, learning_rate=LEARNING_RATE,
        maximum_gradient_norm=1.0, schedule="constant", optimizer_settings={"weight_decay": 0.01},
    ) as trainer:  # fmt: skip
        for batch in batches:
            with graft.Batch.from_tokens(batch["ids"]) as rows:
                rows.set_column("group_places", [row % CANDIDATES for row in range(ROWS)])
                rows.set_column("targets", [[float(label)] for label in batch["labels"]])
                found.append(trainer.step(rows).loss)
    assert found == pytest.approx(expected, abs=TOLERANCE)

    adapter.save(tmp_path / "trained")
    ours = PeftModel.from_pretrained(base(without_dropout, 1), tmp_path / "trained").eval()
    for batch in batches:
        difference = (logits(ours, batch["ids"]) - logits(theirs, batch["ids"])).abs().max()
        assert difference < LOGIT_TOLERANCE, f"after {STEPS} steps the scores differ by {difference}"


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_every_gradient_is_that_of_peft_in_float64(settings, without_dropout, batches, tmp_path):
    adapted(without_dropout, LABELS, seed=4, **settings).save_pretrained(tmp_path / "start")
    theirs = PeftModel.from_pretrained(base(without_dropout, LABELS), tmp_path / "start", is_trainable=True).double()
    theirs.train()(**padded(batches[0]["ids"]), labels=torch.tensor(batches[0]["labels"])).loss.backward()
    expected = gradients(theirs)

    model = graft.Model(without_dropout)
    with graft.Batch.from_tokens(batches[0]["ids"], labels=batches[0]["labels"]) as rows:
        found = graft_gradients(model, graft.Adapter.load(model, tmp_path / "start"), rows, tmp_path)
    assert len(found) > 20
    for tensor, own in found.items():
        largest = expected[tensor].abs().max()
        error = (own - expected[tensor]).abs().max()
        # Softmax ignores a bias of the keys, so its gradient is zero by nature and has no scale of
        # its own.
        limit = 1e-7 if largest < 1e-12 else GRADIENT_TOLERANCE * largest
        assert error < limit, f"{tensor}: error {error:.1e}, largest gradient {largest:.1e}"


@pytest.mark.parametrize("settings", MAPPED.values(), ids=MAPPED)
def test_the_gradient_map_of_a_report_is_that_of_peft(settings, without_dropout, minilm_tokenizer, tmp_path):
    texts, labels = ["a fine film", "it is far too long to be funny", "dull", "what a joy to see"], [1, 0, 0, 1]
    model = graft.Model(without_dropout)
    own = {key: value for key, value in settings.items() if key != "method"}
    adapter = graft.Adapter.create(model, settings["method"], own, seed=3)
    adapter.set_head(labels=["bad", "good"])
    rows = graft.Dataset(minilm_tokenizer, texts, labels, label_names=adapter.labels)
    with graft.Trainer(model, adapter, learning_rate=5e-3, epoch_count=5, rows_per_batch=4) as trainer:
        trainer.fit(rows, progress=False)
    adapter.save(tmp_path / "trained")
    found = gradient_norms(model, adapter, rows)

    theirs = PeftModel.from_pretrained(base(without_dropout, LABELS), tmp_path / "trained", is_trainable=True).double()
    ids = [minilm_tokenizer.encode(text).ids for text in texts]
    theirs.train()(**padded(ids), labels=torch.tensor(labels)).loss.backward()
    expected = {tensor: gradient.norm().item() for tensor, gradient in gradients(theirs).items()}
    # Modules whose ranks are all pruned have tensors without numbers.
    assert set(found) == set(expected) and sum(norm > 0 for norm in expected.values()) > 10
    assert found == pytest.approx(expected, rel=GRADIENT_TOLERANCE)


def uneven(batches) -> dict:
    """Eight rows of one to thirty tokens."""
    ids = [row for batch in batches for row in batch["ids"]]
    ids = sorted(ids, key=len)[:: len(ids) // 8][:8]
    return {"ids": ids, "labels": [row % LABELS for row in range(8)]}


@pytest.mark.parametrize("cuts", [[8], [1] * 8, [5, 1, 2]], ids=str)
@pytest.mark.parametrize("weights, smoothing", [(None, 0.0), ([0.25, 3.0], 0.1)], ids=str)
def test_accumulated_rows_are_one_mean_of_torch(cuts, weights, smoothing, without_dropout, batches, tmp_path):
    batch = uneven(batches)
    adapted(without_dropout, LABELS, seed=4).save_pretrained(tmp_path / "start")
    model = PeftModel.from_pretrained(base(without_dropout, LABELS), tmp_path / "start", is_trainable=True).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    loss = torch.nn.functional.cross_entropy(
        model(**padded(batch["ids"])).logits,
        torch.tensor(batch["labels"]),
        weight=None if weights is None else torch.tensor(weights),
        label_smoothing=smoothing,
    )
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(trained, 1.0).item()

    ours = graft.Model(without_dropout)
    adapter = graft.Adapter.load(ours, tmp_path / "start")
    options = {} if weights is None else {"class_weights": weights}
    with graft.Trainer(ours, adapter, batches_per_step=len(cuts), label_smoothing=smoothing, **options) as trainer:
        first = 0
        for count in cuts:
            part = slice(first, first + count)
            with graft.Batch.from_tokens(batch["ids"][part], labels=batch["labels"][part]) as rows:
                metrics = trainer.step(rows)
            first += count
    assert metrics.step == 1
    assert metrics.loss == pytest.approx(loss.item(), abs=TOLERANCE)
    assert metrics.gradient_norm == pytest.approx(norm, rel=1e-4)


@pytest.mark.parametrize("cuts", [[8], [1] * 8, [5, 1, 2]], ids=str)
def test_accumulated_tokens_are_one_mean_of_transformers(cuts, tmp_path):
    folder = GOLDENS / "llama-tiny" / "everything"
    generator = torch.Generator().manual_seed(2)
    rows = [torch.randint(3, 110, (length,), generator=generator).tolist() for length in (2, 12, 3, 5, 9, 1, 4, 7)]
    labels = [[-100 if (row + place) % 3 == 0 else token for place, token in enumerate(ids)] for row, ids in enumerate(rows)]
    count = sum(label >= 0 for row in labels for label in row[1:])
    settings = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    torch.manual_seed(5)
    theirs = get_peft_model(LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32), settings).train()
    theirs.save_pretrained(tmp_path / "start")
    total = 0.0
    for ids, row in zip(rows, labels):
        # As transformers' Trainer does it with accumulated batches.
        loss = theirs(
            input_ids=torch.tensor([ids]), labels=torch.tensor([row]), num_items_in_batch=torch.tensor(count)
        ).loss
        if not loss.isnan():
            loss.backward()
            total += loss.item()
    trained = [parameter for parameter in theirs.parameters() if parameter.requires_grad]
    norm = torch.nn.utils.clip_grad_norm_(trained, 1e9).item()

    model = graft.Model(folder)
    adapter = graft.Adapter.load(model, tmp_path / "start")
    with graft.Trainer(model, adapter, batches_per_step=len(cuts)) as trainer:
        first = 0
        for rows_in_cut in cuts:
            part = slice(first, first + rows_in_cut)
            with graft.Batch.from_tokens(rows[part]) as batch:
                batch.set_column("token_labels", labels[part])
                metrics = trainer.step(batch)
            first += rows_in_cut
    assert metrics.loss == pytest.approx(total, abs=TOLERANCE)
    assert metrics.gradient_norm == pytest.approx(norm, rel=1e-4)
