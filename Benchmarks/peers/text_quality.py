"""What models learn to write, in PEFT: losses of rows that were not learned from, before and after,
and the measures of the texts that are written, for each seed; the loss of Graft's adapter in PEFT.

LoRA of rank 8 on all linear modules, without dropout, from the weights that Graft began with; AdamW
with decay 0.01, linear schedule with 6 % of warm-up, gradients clipped to norm 1, batches of 8 rows
in the same order on both sides. A conversation is written by the chat template of the model, and
what the assistant says is learned.
"""

import time

import settings
from peers.adapted_model import train as train_model
from texts import (
    NEW_TOKENS,
    TEXT_TASKS,
    conversation,
    text_batches,
    text_measures,
    text_parser,
    training_result,
)

arguments = text_parser(__doc__).parse_args()
task = TEXT_TASKS[arguments.task]
torch = settings.prepare_torch("medium")
from peft import PeftModel  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForCausalLM,
    AutoTokenizer,
    MarianMTModel,
)

NO_LABEL = -100


class Conversations:
    """A language model out of a GGUF file."""

    def __init__(self) -> None:
        place = {"pretrained_model_name_or_path": task.model.parent, "gguf_file": task.model.name}
        self.tokenizer = AutoTokenizer.from_pretrained(**place)
        self.load = lambda: AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)

    def row(self, pair) -> dict:
        opening, whole = conversation(*pair)[:1], conversation(*pair)
        before = self.tokenizer.apply_chat_template(opening, add_generation_prompt=True)["input_ids"]
        ids = self.tokenizer.apply_chat_template(whole)["input_ids"]
        return {"input_ids": ids, "labels": [NO_LABEL] * len(before) + ids[len(before) :], "prompt": before}

    def text(self, ids: list[int], prompt: list[int]) -> str:
        return self.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)


class Translations:
    """Marian. Its folder has a tokenizer.json alone, which does not know the end of a text."""

    END = 0

    def __init__(self) -> None:
        self.tokenizer = Tokenizer.from_file(str(task.model / "tokenizer.json"))
        self.load = lambda: MarianMTModel.from_pretrained(task.model, dtype=torch.float32)

    def row(self, pair) -> dict:
        source, target = ([*self.tokenizer.encode(text).ids, self.END] for text in pair)
        return {"input_ids": source, "labels": target, "prompt": source}

    def text(self, ids: list[int], prompt: list[int]) -> str:
        return self.tokenizer.decode([token for token in ids[1:] if token != self.END])


def padded(rows: list[list[int]], value: int):
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def collate(rows: list[dict]) -> dict:
    mask = padded([[1] * len(row["input_ids"]) for row in rows], 0)
    labels = padded([row["labels"] for row in rows], NO_LABEL)
    return {"input_ids": padded([row["input_ids"] for row in rows], 0), "attention_mask": mask, "labels": labels}


def held_out(model, rows: list[dict]) -> float:
    """The mean over all tokens that count."""
    model.eval()
    total = count = 0.0
    with torch.inference_mode():
        for row in rows:
            own = sum(label != NO_LABEL for label in row["labels"])
            total, count = total + own * model(**collate([row])).loss.item(), count + own
    return total / count


def write(model, rows: list[dict]) -> list[str]:
    model.eval()
    texts = []
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row["prompt"]])
            found = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, max_new_tokens=NEW_TOKENS
            )
            texts.append(kind.text(found[0].tolist(), row["prompt"]))
    return texts


kind = Translations() if task.head == "seq_2_seq_lm" else Conversations()
train, test = task.parts(arguments.rows)
rows, test_rows = [kind.row(pair) for pair in train], [kind.row(pair) for pair in test]


def losses(model, batches: list[list[int]], taken: list[float]):
    for own in batches:
        loss = model(**collate([rows[row] for row in own])).loss
        taken.append(loss.item())
        yield loss


for seed in arguments.seeds:
    batches = text_batches(len(train), task.epochs, seed)
    fresh, trained = (arguments.adapters / f"{arguments.task}-{seed}-{state}" for state in ("fresh", "trained"))
    graft_after = held_out(PeftModel.from_pretrained(kind.load(), trained), test_rows)
    model = PeftModel.from_pretrained(kind.load(), fresh, is_trainable=True)
    before = held_out(model, test_rows)
    model.train()
    taken: list[float] = []
    seconds = train_model(model, losses(model, batches, taken), len(batches), task.learning_rate)
    after = held_out(model, test_rows)
    start = time.perf_counter()
    written = write(model, test_rows)
    result = training_result(arguments.task, seed, before, after, taken) | {
        "graft_after": round(graft_after, 5),
        "train_seconds": seconds,
        "write_seconds": round(time.perf_counter() - start, 1),
    }
    measures = text_measures(written, [output for _, output in test], task.tokenize)
    settings.emit("text quality", side="PEFT", **result, **measures)
