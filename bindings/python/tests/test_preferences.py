"""Training on pairs of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import graft
from conftest import SHARED
from graft.conversations import answer_row

PROMPTS = ["What does Tom have?", "Where is the dog?"]
CHOSEN = [" Tom has a red ball.", " The dog is in the park."]
REJECTED = [" Tom is sad.", " No."]


@pytest.fixture(scope="module")
def stories() -> Path:
    return SHARED / "models" / "stories260K" / "hf"


def test_preferred_answers_are_learned(stories: Path) -> None:
    model, tokenizer = graft.Model(stories), graft.Tokenizer(stories)
    rows = graft.Dataset.from_preferences(tokenizer, PROMPTS, CHOSEN, REJECTED, end_tokens=[1])
    assert len(rows) == 4
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    with graft.Trainer(model, adapter, loss="dpo", epoch_count=4, recompute_layers=True) as trainer:
        assert trainer.evaluate(rows).loss == pytest.approx(0.6931472, abs=1e-6)
        trainer.fit(rows, progress=False)
        after = trainer.evaluate(rows)
    assert after.loss < 0.69 and after.rewards_accuracies == 1
    assert after.rewards_margins == pytest.approx(after.rewards_chosen - after.rewards_rejected)


def test_another_reference_is_a_column(stories: Path) -> None:
    model = graft.Model(stories)
    batch = graft.Batch.from_tokens([[1, 2, 3], [1, 4, 5]])
    batch.set_column("token_labels", [[-100, 2, 3], [-100, 4, 5]])
    batch.set_column("group_places", [0, 1])
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    with graft.Trainer(model, adapter, loss="dpo", loss_settings={"beta": 1}) as trainer:
        own = trainer.evaluate(graft.Dataset.from_batch(batch))
        batch.set_column("reference_log_probabilities", [0.0, 0.0])
        none = trainer.evaluate(graft.Dataset.from_batch(batch))
    assert own.rewards_chosen == pytest.approx(0, abs=1e-5) and none.rewards_chosen < -1


def test_of_a_conversation_the_answer_alone_has_labels(folder: Path, stories: Path) -> None:
    chat = graft.Tokenizer(folder.parent / "smollm2-135m-instruct.gguf")
    question = [{"role": "user", "content": "What is the capital of France?"}]
    ids, labels = answer_row(chat, question, "Paris.", 0)
    assert chat.decode([token for token in labels if token >= 0], skip_special_tokens=False) == "Paris.<|im_end|>\n"
    assert [own for own, token in zip(ids, labels) if token >= 0] == [token for token in labels if token >= 0]
    rows = graft.Dataset.from_preferences(chat, [question], ["Paris."], ["I do not know."])
    assert len(rows) == 2 and rows.token_count > 2 * len(ids)
    with pytest.warns(UserWarning, match="4 of 4 rows were cut to 5 tokens"):
        graft.Dataset.from_preferences(graft.Tokenizer(stories), PROMPTS, CHOSEN, REJECTED, maximum_length=5)


def test_what_are_no_pairs_is_refused(stories: Path) -> None:
    tokenizer = graft.Tokenizer(stories)
    with pytest.raises(graft.GraftError, match="rejected: expected 2, one for each prompt; found 1"):
        graft.Dataset.from_preferences(tokenizer, PROMPTS, CHOSEN, ["no"])
    with pytest.raises(TypeError, match="prompts"):
        graft.Dataset.from_preferences(tokenizer, "prompt", ["yes"], ["no"])
