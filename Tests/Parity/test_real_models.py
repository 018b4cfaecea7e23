"""Small real models of two more architectures, against transformers: an ALBERT of chemical
reactions, and a GPT-2 of English texts."""

import json
import re

import numpy
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AlbertForMaskedLM, GPT2LMHeadModel

import graft
from conftest import DATA, SHARED, TOLERANCE
from small_tokenizers import tokenizer_file
from token_rows import hidden_states, language_loss

ALBERT = SHARED / "models" / "albert-rxn"
GPT2 = SHARED / "models" / "gpt2-tiny"

#: Esterification, Suzuki coupling, amide formation, reduction, bromination, a Grignard reaction.
REACTIONS = [
    "CC(=O)O.OCC>>CC(=O)OCC", "Brc1ccccc1.OB(O)c1ccncc1>>c1ccc(-c2ccncc2)cc1",
    "NCc1ccccc1.CC(=O)Cl>>CC(=O)NCc1ccccc1", "O=Cc1ccc(F)cc1>>OCc1ccc(F)cc1",
    "c1ccc2ccccc2c1.BrBr>>Brc1cccc2ccccc12", "CC(C)=O.C[Mg]Br>>CC(C)(C)O",
]  # fmt: skip
#: An atom, a bond, a ring or the arrow.
SYMBOL = re.compile(r"\[[^\]]+\]|Br|Cl|>>|.")


def loaded(kind: type, folder) -> torch.nn.Module:
    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def states(model: torch.nn.Module, rows: list[list[int]]) -> numpy.ndarray:
    """The last layer's, each row alone, of all tokens end to end."""
    with torch.inference_mode():
        return torch.cat([model(torch.tensor([row])).last_hidden_state[0] for row in rows]).numpy()


@pytest.fixture(scope="module")
def symbols() -> graft.Tokenizer:
    """The vocabulary's lines as words, since BERT's tokenizer would part the arrow."""
    vocabulary = {word: token for token, word in enumerate((ALBERT / "vocab.txt").read_text("utf-8").splitlines())}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    special = [
        {"id": vocabulary[word], "content": word, "special": True, **flags} for word in ("[CLS]", "[SEP]", "[MASK]")
    ]
    file = tokenizer_file(
        model={"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
        pre_tokenizer={"type": "WhitespaceSplit"},
        added_tokens=special,
    )
    files = {"tokenizer.json": file, "tokenizer_config.json": {"mask_token": "[MASK]"}}
    return graft.Tokenizer.from_files({name: json.dumps(part).encode() for name, part in files.items()})


def test_an_albert_of_reactions_has_the_states_and_the_masked_words_of_transformers(symbols: graft.Tokenizer) -> None:
    theirs, model = loaded(AlbertForMaskedLM, ALBERT), graft.Model(ALBERT, threads=1)
    reactions = [["[CLS]", *SYMBOL.findall(reaction), "[SEP]"] for reaction in REACTIONS]
    rows = [list(symbols.encode(" ".join(reaction)).ids) for reaction in reactions]
    unknown = symbols.encode("[UNK]").ids[0]
    assert all(unknown not in row for row in rows)
    assert numpy.abs(hidden_states(model, rows) - states(theirs.albert, rows)).max() < TOLERANCE

    mask = symbols.encode("[MASK]").ids[0]
    session = graft.Session(model, symbols, threads=1)
    right = total = 0
    for row, reaction in zip(rows, reactions, strict=True):
        places = range(1, len(row) - 1)
        texts = [" ".join([*reaction[:place], "[MASK]", *reaction[place + 1 :]]) for place in places]
        for place, masks in zip(places, session.fill_masks(texts, count=3), strict=True):
            masked = [*row[:place], mask, *row[place + 1 :]]
            with torch.inference_mode():
                expected = theirs(torch.tensor([masked])).logits[0, place].softmax(-1).topk(3)
            assert [filled.token for filled in masks[0]] == expected.indices.tolist()
            assert [filled.probability for filled in masks[0]] == pytest.approx(expected.values.tolist(), abs=TOLERANCE)
            right, total = right + (masks[0][0].token == row[place]), total + 1
    assert right > total / 2, "the model knows reactions"


def test_a_gpt2_has_the_states_the_loss_and_the_greedy_texts_of_transformers() -> None:
    theirs, model, tokenizer = loaded(GPT2LMHeadModel, GPT2), graft.Model(GPT2, threads=1), graft.Tokenizer(GPT2)
    lines = (DATA / "sst2" / "dev.tsv").read_text("utf-8").splitlines()[1::200]
    texts = [line.rsplit("\t", 1)[0] for line in lines]
    reference = Tokenizer.from_file(str(GPT2 / "tokenizer.json"))
    rows = [reference.encode(text).ids for text in texts]
    assert [list(tokenizer.encode(text).ids) for text in texts] == rows
    assert numpy.abs(hidden_states(model, rows) - states(theirs.transformer, rows)).max() < TOLERANCE

    adapter = graft.Adapter.create(model, config={"task_type": "CAUSAL_LM"})
    with torch.inference_mode():
        losses = [(theirs(torch.tensor([row]), labels=torch.tensor([row])).loss.item(), len(row) - 1) for row in rows]
    mean = sum(loss * count for loss, count in losses) / sum(count for _, count in losses)
    assert language_loss(model, rows, adapter) == pytest.approx(mean, abs=TOLERANCE)

    prompts = [reference.decode(row[:8]) for row in rows[::3]]
    found = graft.Session(model, tokenizer, threads=1).generate(prompts, maximum_tokens=64, stop_tokens=[])
    for prompt, text in zip(prompts, found, strict=True):
        ids = torch.tensor([reference.encode(prompt).ids])
        out = theirs.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=64,
            eos_token_id=None, pad_token_id=0,
        )[0, ids.shape[1] :].tolist()  # fmt: skip
        assert text.tokens == out
