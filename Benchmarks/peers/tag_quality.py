"""Tags of named entities in PEFT: WNUT-17 or Weibo, entity F1 of the test sentences by seqeval, and
seconds, for each seed.

LoRA of rank 16 on all linear modules with dropout 0.1, the model's own dropout 0.1, AdamW with
decay 0.01, linear schedule with 6 % of warm-up, gradients clipped to norm 1, batches of 16 grouped
by length, at most 128 tokens, which few sentences have more of: those of Weibo are parts of 60
characters. Words are encoded with blanks between them. The first token that has a character of a
word has its label, which for a word of Chinese is not the one that stands for the blank before it;
a word that is cut off counts as "O".
"""

import math

import settings
from data import TAG_RECIPE, TAG_SETS, length_grouped_batches, tag_parser
from peers.adapted_model import begun, collate, load_tokenizer, torch_for, train as train_model

NO_LABEL = -100

arguments = tag_parser(__doc__).parse_args()
torch = torch_for("medium")
from seqeval.metrics import f1_score  # noqa: E402
from transformers import AutoModelForTokenClassification  # noqa: E402

tags = TAG_SETS[arguments.data]
(train_words, train_tags), (test_words, test_tags) = tags.parts(arguments.rows)
names = sorted({tag for rows in (train_tags, test_tags) for row in rows for tag in row})
tokenizer = load_tokenizer(tags.model)
tokenizer.enable_truncation(TAG_RECIPE["maximum_length"])


def first_tokens(words: list[list[str]]):
    """Ids of each sentence, and of each of its words the place of its first token."""
    for own, encoding in zip(words, tokenizer.encode_batch([" ".join(own) for own in words]), strict=True):
        word_of = [place for number, word in enumerate(own) for place in [*[number] * len(word), None]]
        places = {}
        for place, (start, end) in enumerate(encoding.offsets):
            for number in word_of[start:end]:
                if number is not None:
                    places.setdefault(number, place)
        yield encoding.ids, places


train, test = list(first_tokens(train_words)), list(first_tokens(test_words))


def batch(rows: list[int]) -> dict:
    made = collate([train[row][0] for row in rows])
    labels = [[NO_LABEL] * made["input_ids"].shape[1] for _ in rows]
    for own, row in zip(labels, rows, strict=True):
        for word, place in train[row][1].items():
            own[place] = names.index(train_tags[row][word])
    return made | {"labels": torch.tensor(labels)}


def losses(model, seed: int, size: int):
    for epoch in range(arguments.epochs):
        for rows in length_grouped_batches([len(ids) for ids, _ in train], size, seed * arguments.epochs + epoch):
            yield model(**batch(rows)).loss


def entity_f1(model) -> float:
    model.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(test), 64):
            rows = test[start : start + 64]
            best = model(**collate([ids for ids, _ in rows])).logits.argmax(-1).tolist()
            for own, (_, places), words in zip(best, rows, test_words[start : start + 64], strict=True):
                found.append([names[own[places[word]]] if word in places else "O" for word in range(len(words))])
    return float(f1_score(test_tags, found))


for seed in arguments.seeds:
    torch.manual_seed(seed)
    size = TAG_RECIPE["rows_per_batch"]
    total = arguments.epochs * math.ceil(len(train) / size)
    base = AutoModelForTokenClassification.from_pretrained(tags.model, num_labels=len(names), dtype=torch.float32)
    model = begun(base, arguments.start, "TOKEN_CLS")
    seconds = train_model(model, losses(model, seed, size), total, tags.learning_rate, tags.head_lr_ratio)
    settings.emit(
        "tag quality", side="PEFT", data=arguments.data, seed=seed, train_seconds=seconds,
        entity_f1=round(entity_f1(model), 4),
    )  # fmt: skip
