"""bert-tiny: one small random BERT in every spelling that a model folder comes in, and what it
computes.
"""

import copy
import json

import safetensors.torch
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)

from .files import ROOT, deviation, fresh_folder, packed, write_json, write_tensors
from .tiny_models import randomise

SIZES = dict(
    vocab_size=120,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=64,
)
LABELS = {0: "greeting", 1: "complaint", 2: "question"}
TAGS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
LENGTHS = [7, 1, 12, 64, 3, 20]


def config(**changes) -> BertConfig:
    return BertConfig(**SIZES, **changes)


def inputs() -> dict:
    """Ragged rows of token ids; the second half of a row has type 1, as in a pair of texts."""
    generator = torch.Generator().manual_seed(7)
    ids = [torch.randint(0, SIZES["vocab_size"], (n,), generator=generator).tolist() for n in LENGTHS]
    types = [[0] * (n - n // 2) + [1] * (n // 2) for n in LENGTHS]
    return {"input_ids": ids, "token_type_ids": types}


def batches_of_one(rows: dict):
    """Each row alone, unpadded: what a padded batch must equal."""
    for ids, types in zip(rows["input_ids"], rows["token_type_ids"], strict=True):
        yield {"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([types])}


def outputs(model: BertModel, rows: dict) -> dict:
    """Hidden states packed [tokens, hidden]; pooler output and embeddings [rows, hidden]."""
    with torch.no_grad():
        results = [model(**row, output_hidden_states=True) for row in batches_of_one(rows)]
    last = [result.last_hidden_state[0] for result in results]
    values = {
        f"hidden_states.{i}": packed([r.hidden_states[i] for r in results])
        for i in range(len(results[0].hidden_states))
    }
    if model.pooler is not None:
        values["pooler_output"] = torch.cat([result.pooler_output for result in results])
    pooled = {
        "mean": torch.stack([row.mean(0) for row in last]),
        "first": torch.stack([row[0] for row in last]),
        "last": torch.stack([row[-1] for row in last]),
    }
    for name, value in pooled.items():
        values[f"embedding.{name}"] = value
        values[f"embedding.{name}.normalized"] = torch.nn.functional.normalize(value, dim=-1)
    return values


def write_expected(folder, model: BertModel, rows: dict) -> None:
    model = copy.deepcopy(model).float()
    single = outputs(model, rows)
    double = outputs(model.double(), rows)
    write_tensors(folder / "expected.safetensors", double, torch_float32_deviation=deviation(double, single))


def load_base() -> BertModel:
    return BertModel.from_pretrained(ROOT / "bert-tiny" / "base", attn_implementation="eager").eval()


def load_classifier() -> BertForSequenceClassification:
    folder = ROOT / "bert-tiny" / "sequence-classification"
    return BertForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()


def v4_spelling(folder) -> None:
    """config.json as transformers 4.57.6 writes it, with `torch_dtype` as it was called before
    that.
    """
    settings = json.loads((folder / "config.json").read_text())
    for key in ("add_cross_attention", "bos_token_id", "eos_token_id", "is_decoder", "tie_word_embeddings", "dtype"):
        settings.pop(key, None)
    settings |= {"position_embedding_type": "absolute", "torch_dtype": "float32", "transformers_version": "4.40.2"}
    (folder / "config.json").write_text(json.dumps(dict(sorted(settings.items())), indent=2) + "\n")


def old_norm_names(folder) -> None:
    """Tensor names of checkpoints converted from TensorFlow: LayerNorm.gamma and LayerNorm.beta."""
    path = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in tensors.items()
    }
    safetensors.torch.save_file(renamed, path, metadata={"format": "pt"})


def make() -> None:
    top = fresh_folder("bert-tiny")
    rows = inputs()
    write_json(top / "inputs.json", rows)
    base = randomise(BertModel(config()), seed=1)
    write_expected(top, base, rows)

    base.save_pretrained(top / "base")
    base.save_pretrained(top / "sharded", max_shard_size="40KB")
    base.save_pretrained(top / "config-v4")
    v4_spelling(top / "config-v4")
    base.save_pretrained(top / "gamma-beta")
    old_norm_names(top / "gamma-beta")

    for name, dtype in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
        half = copy.deepcopy(base).to(dtype)
        half.save_pretrained(top / name)
        write_expected(top / name, half, rows)

    classifier = randomise(BertForSequenceClassification(config(id2label=LABELS)), seed=2)
    classifier.bert.load_state_dict(base.state_dict())
    classifier.save_pretrained(top / "sequence-classification")
    with torch.no_grad():
        logits = [classifier.double()(**row).logits for row in batches_of_one(rows)]
    write_tensors(top / "sequence-classification" / "expected.safetensors", {"logits": torch.cat(logits)})

    masked = randomise(BertForMaskedLM(config()), seed=3)
    without_pooler = {name: tensor for name, tensor in base.state_dict().items() if not name.startswith("pooler.")}
    masked.bert.load_state_dict(without_pooler)
    masked.save_pretrained(top / "masked-lm")

    tagger = randomise(BertForTokenClassification(config(id2label=TAGS)), seed=4)
    tagger.bert.load_state_dict(without_pooler)
    tagger.save_pretrained(top / "token-classification")
    with torch.no_grad():
        logits = [tagger.double()(**row).logits for row in batches_of_one(rows)]
    write_tensors(top / "token-classification" / "expected.safetensors", {"logits": packed(logits)})
