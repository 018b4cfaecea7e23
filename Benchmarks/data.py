"""The rows of the benchmarks: labelled data sets, ragged batches, rows of an exact number of
tokens, random tokens, and texts for tokenizers."""

import argparse
import csv
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from settings import CHINESE, DATA, MODELS, TINY

# Each is one token of BERT's uncased vocabulary.
SINGLE_TOKEN_WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work number night point home water room mother area "
    "money story fact month lot right study book eye job word business issue side kind head house service friend"
).split()


@dataclass(frozen=True)
class Labelled:
    texts: list[str]
    labels: list[int]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, order: list[int]) -> "Labelled":
        return Labelled([self.texts[i] for i in order], [self.labels[i] for i in order])


def shuffled(count: int, seed: int) -> list[int]:
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


def _trec6_file(name: str, names: list[str], finer_labels: bool) -> Labelled:
    """Lines of `LABEL:text`; in test.txt the first word after the colon is a finer label and no
    part of the text.
    """
    texts, labels = [], []
    for line in (DATA / "trec6" / name).read_text(encoding="latin-1").splitlines():
        label, text = line.split(":", 1)
        if finer_labels:
            text = text.split(" ", 1)[1]
        texts.append(text.strip())
        labels.append(names.index(label))
    return Labelled(texts, labels)


TREC6_LABELS = ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]


def trec6() -> tuple[Labelled, Labelled, list[str]]:
    """Train (train.txt), test, and the names of the six labels."""
    return trec6_part("train"), trec6_part("test"), TREC6_LABELS


def trec6_part(part: str) -> Labelled:
    """Part "train", "validation" or "test"."""
    name = {"validation": "valid"}.get(part, part)
    return _trec6_file(f"{name}.txt", TREC6_LABELS, finer_labels=part == "test")


def _sst2_file(name: str) -> Labelled:
    lines = (DATA / "sst2" / name).read_text(encoding="utf-8").splitlines()[1:]
    pairs = [line.rsplit("\t", 1) for line in lines]
    return Labelled([text.strip() for text, _ in pairs], [int(label) for _, label in pairs])


def sst2(training_rows: int = 8000) -> tuple[Labelled, Labelled, list[str]]:
    """The first `training_rows` of a fixed shuffle of train.tsv, and test.tsv."""
    train = _sst2_file("train.tsv")
    return train.take(shuffled(len(train), seed=0)[:training_rows]), _sst2_file("test.tsv"), ["negative", "positive"]


def sst2_part(part: str) -> Labelled:
    """The training rows of `sst2`, as many of dev.tsv for part "validation" as test.tsv has, or
    those of "test".
    """
    if part == "train":
        return sst2()[0]
    rows = _sst2_file("dev.tsv" if part == "validation" else "test.tsv")
    return rows.take(shuffled(len(rows), seed=0)[:872])


def stsb(part: str) -> tuple[list[list[str]], list[float]]:
    """Pairs of part "train", "dev" or "test", and how alike each is from 0 to 1."""
    lines = (DATA / "stsb" / f"sts-{part}.csv").read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t") for line in lines]
    return [row[5:7] for row in fields], [float(row[4]) / 5 for row in fields]


def _table_rows(name: str, encoding: str, text: str, label: str) -> list[tuple[str, str]]:
    """Texts with their labels in the named columns, without those that have no text."""
    with (DATA / name).open(encoding=encoding, newline="") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file) if row[text].strip()]


def _halves(rows: list[tuple[str, str]], train: int, test: int) -> tuple[Labelled, Labelled, list[str]]:
    """So many rows of a fixed shuffle each."""
    names = sorted({label for _, label in rows})
    all_rows = Labelled([text for text, _ in rows], [names.index(label) for _, label in rows])
    order = shuffled(len(rows), seed=0)
    return all_rows.take(order[:train]), all_rows.take(order[train : train + test]), names


def sms() -> tuple[Labelled, Labelled, list[str]]:
    """Messages that are spam, or not: 4,000, and the others."""
    rows = _table_rows("sms_spam/spam.csv", "utf-8", "v2", "v1")
    return _halves(rows, 4000, len(rows))


def hotels() -> tuple[Labelled, Labelled, list[str]]:
    """Reviews of hotels (ChnSentiCorp), 800 and 1,000 of them."""
    return _halves(_table_rows("chnsenticorp_htl/ChnSentiCorp_htl_all.csv", "utf-8-sig", "review", "label"), 800, 1000)


def tnews() -> tuple[Labelled, Labelled, list[str]]:
    """Headlines of fifteen kinds, of train_few_all.json and test_public.json."""
    parts = [
        [(row["sentence"], row["label_desc"]) for row in map(json.loads, path.read_text("utf-8").splitlines())]
        for path in (DATA / "fewclue_tnews" / f"{part}.json" for part in ("train_few_all", "test_public"))
    ]
    names = sorted({label for _, label in parts[0]})
    train, test = (Labelled([text for text, _ in part], [names.index(label) for _, label in part]) for part in parts)
    return train, test, names


@dataclass(frozen=True)
class DataSet:
    parts: Callable[[], tuple[Labelled, Labelled, list[str]]]
    #: The folder of the model that learns it.
    model: Path = MODELS / "minilm"

    @property
    def learns_pooler(self) -> bool:
        """Whether the model has no pooler, so that the adapter learns one, too."""
        return self.model == CHINESE


DATA_SETS = {
    "trec6": DataSet(trec6),
    "sst2": DataSet(sst2),
    "sms": DataSet(sms),
    "tnews": DataSet(tnews, CHINESE),
    "hotels": DataSet(hotels, CHINESE),
}


def quality_data(arguments: argparse.Namespace) -> tuple[Labelled, Labelled, list[str]]:
    """Train, test and names of the data set, with fewer training rows where the arguments say so.
    """
    train, test, names = DATA_SETS[arguments.data].parts()
    return train.take(list(range(len(train)))[: arguments.rows]), test, names


def recipe_parser(description: str | None, epochs: int) -> argparse.ArgumentParser:
    """What runs of all recipes take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=epochs)
    return parser


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", type=Path, help="folder of an adapter to go on with, which is new otherwise")
    parser.add_argument("--save", type=Path, help="folder for the last seed's adapter, of Graft alone")


def quality_parser(description: str | None) -> argparse.ArgumentParser:
    """What every run of the quality recipe takes."""
    parser = recipe_parser(description, epochs=5)
    parser.add_argument("--data", choices=list(DATA_SETS), default="trec6")
    parser.add_argument("--rows", type=int, help="training rows, where not all")
    return parser


@dataclass(frozen=True)
class TagSet:
    """Sentences of words that have tags: a training and a test file in CoNLL's form, and how
    graft.Table reads them.
    """

    files: tuple[str, str]
    model: Path = MODELS / "minilm"
    reading: dict = field(default_factory=lambda: {"format": "conll"})
    #: Longer sentences are several, so that no side cuts words.
    most_words: int = 128
    learning_rate: float = 5e-4
    #: The learning rate of the head over that of LoRA.
    head_lr_ratio: float = 1

    def parts(self, rows: int | None) -> list[tuple[list[list[str]], list[list[str]]]]:
        """Words and tags, of not more than so many sentences to learn from."""
        import graft

        tables = [graft.Table.read(DATA / name, **self.reading) for name in self.files]
        tables[0] = tables[0].take(range(min(rows or len(tables[0]), len(tables[0]))))
        return [(self._short(table["words"]), self._short(table["tags"])) for table in tables]

    def _short(self, sentences: list[list[str]]) -> list[list[str]]:
        size = self.most_words
        return [own[first : first + size] for own in sentences for first in range(0, len(own), size)]


TAG_SETS = {
    "wnut17": TagSet(("wnut17/wnut17train.conll", "wnut17/emerging.test.annotated")),
    # Words are characters, each with the number of its place in its word behind it; with a blank
    # between any two they are two tokens each.
    "weibo": TagSet(
        ("weibo_ner/weiboNER_2nd_conll.train", "weibo_ner/weiboNER_2nd_conll.test"),
        CHINESE,
        {"format": "conll", "pattern": r"(?P<words>.+?)\d+\t(?P<tags>\S+)"},
        most_words=60,
        # The numbers of this model's last layer are small, so that its head has to learn fast,
        # which breaks the layers below it where they do: at one rate for both all that either side
        # ever learns is how often each tag is.
        head_lr_ratio=20,
    ),
}

#: On all linear modules of an encoder.
LINEAR_LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": ["query", "key", "value", "dense"]}

#: Of ours/tag_quality.py and peers/tag_quality.py.
TAG_RECIPE = {
    "maximum_length": 128,
    "rows_per_batch": 16,
}


def tag_parser(description: str | None) -> argparse.ArgumentParser:
    """What every run of the recipe of tags takes."""
    parser = recipe_parser(description, epochs=5)
    _add_start(parser)
    parser.add_argument("--data", choices=list(TAG_SETS), default="wnut17")
    parser.add_argument("--rows", type=int, help="sentences to learn from, where not all")
    return parser


def embedding_parser(description: str | None) -> argparse.ArgumentParser:
    """What every run of the recipe of vectors takes."""
    parser = recipe_parser(description, epochs=2)
    parser.add_argument("--loss", choices=("cosent", "cosine_similarity"), default="cosent")
    return parser


#: Of ours/regression.py and peers/regression.py.
REGRESSION_RECIPE = {
    "maximum_length": 128,
    "rows_per_batch": 16,
    "learning_rate": 1e-3,
}


def regression_parser(description: str | None) -> argparse.ArgumentParser:
    parser = recipe_parser(description, epochs=4)
    parser.add_argument("--rows", type=int, default=1000, help="pairs to learn from, of a fixed shuffle")
    return parser


def regression_parts(arguments: argparse.Namespace) -> list[tuple[list[list[str]], list[float]]]:
    """Pairs of STS-B to learn from, and those of its test, each with its number."""
    (pairs, targets), test = map(stsb, ("train", "test"))
    rows = shuffled(len(pairs), seed=0)[: arguments.rows]
    return [([pairs[row] for row in rows], [targets[row] for row in rows]), test]


#: Of ours/retrieval.py and peers/retrieval.py. MiniLM has learned from SQuAD's questions, and has
#: an nDCG@10 of 0.93 before it learns from these.
RETRIEVAL_RECIPE = {
    "model": TINY,
    "maximum_length": 256,
    "pairs_per_batch": 32,
    "learning_rate": 2e-3,
}


def retrieval_parser(description: str | None) -> argparse.ArgumentParser:
    return recipe_parser(description, epochs=5)


def relevance(places: list[int], count: int) -> list[list[float]]:
    """Of each of `count` candidates: 1 for the one that stands in its place, 0 for the others."""
    return [[float(place == own) for place in range(count)] for own in places]


def order_figures(measured) -> dict[str, float]:
    """Of a graft.Evaluation of rankings."""
    return {"ndcg_at_10": round(measured.ndcg_at_k, 4), "mrr": round(measured.mrr, 4)}


@dataclass(frozen=True)
class Retrieval:
    """Questions of XQuAD with their paragraphs to learn from, and questions about other articles,
    each with the place of its paragraph among those of all articles.
    """

    train: list[list[str]]
    questions: list[str]
    places: list[int]
    paragraphs: list[str]

    def measured(self, products: list[list[float]]) -> dict[str, float]:
        """Of each question's products with all paragraphs."""
        import graft

        relevant = relevance(self.places, len(self.paragraphs))
        return order_figures(graft.evaluation.rankings(relevant, products))


def xquad(language: str = "en"):
    """XQuAD's questions, a graft.Table."""
    import graft

    return graft.Table.read(DATA / "xquad" / f"xquad.{language}.json")


def retrieval() -> Retrieval:
    table = xquad()
    train, test = table.split(0.3, group="group")
    paragraphs = list(dict.fromkeys(table["context"]))
    places = {text: place for place, text in enumerate(paragraphs)}
    pairs = [[question, context] for question, context in zip(train["question"], train["context"])]
    return Retrieval(pairs, list(test["question"]), [places[text] for text in test["context"]], paragraphs)


def length_grouped_batches(lengths: list[int], batch_size: int, seed: int, group: int = 50) -> list[list[int]]:
    """Batches of similar length in random order: rows are shuffled, cut into groups of `group`
    batches, and each group is sorted by length. Every row is in one batch; the last batch may be
    smaller."""
    order = shuffled(len(lengths), seed)
    span = group * batch_size
    batches = []
    for start in range(0, len(order), span):
        ordered = sorted(order[start : start + span], key=lambda i: lengths[i], reverse=True)
        batches += [ordered[i : i + batch_size] for i in range(0, len(ordered), batch_size)]
    random.Random(seed + 1).shuffle(batches)
    return batches


def full_length_texts(rows: int, tokens: int) -> list[str]:
    """Texts that are exactly `tokens` tokens long with [CLS] and [SEP]."""
    source = random.Random(rows * 1000 + tokens)
    return [" ".join(source.choices(SINGLE_TOKEN_WORDS, k=tokens - 2)) for _ in range(rows)]


def random_tokens(rows: int, tokens: int, vocabulary: int) -> list[list[int]]:
    """Rows of token ids: a model with random weights has no text to prefer."""
    source = random.Random(rows * 1000 + tokens)
    return [source.choices(range(vocabulary), k=tokens) for _ in range(rows)]


def _paragraphs() -> list[str]:
    articles = json.loads((DATA / "xquad" / "xquad.en.json").read_text(encoding="utf-8"))["data"]
    return [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]


def _reviews() -> list[str]:
    path = DATA / "chnsenticorp_htl" / "ChnSentiCorp_htl_all.csv"
    return path.read_text(encoding="utf-8").split("\n")[:3000]


# Texts for tokenizers, 0.2 to 1.2 MB each.
TOKENIZED = {
    "SST-2 sentences": lambda: _sst2_file("train.tsv").texts[:20000],
    "XQuAD paragraphs": _paragraphs,
    "Chinese hotel reviews": _reviews,
}


@dataclass(frozen=True)
class AnswerSet:
    """XQuAD in one language, and who measures it."""

    language: str
    script: str = "squad"
    model: Path = MODELS / "minilm"
    learning_rate: float = 2e-3
    #: The learning rate of the head over that of LoRA.
    head_lr_ratio: float = 1


ANSWER_SETS = {
    "en": AnswerSet("en"),
    # As the tags of this model.
    "en-me5": AnswerSet("en", "squad", CHINESE, learning_rate=5e-4, head_lr_ratio=20),
    "zh": AnswerSet("zh", "cmrc", CHINESE, learning_rate=5e-4, head_lr_ratio=20),
}

#: Of ours/answers.py and peers/answers.py.
ANSWER_RECIPE = {
    "maximum_length": 256,
    "stride": 64,
    "rows_per_batch": 8,
}


def answer_parser(description: str | None) -> argparse.ArgumentParser:
    parser = recipe_parser(description, epochs=5)
    _add_start(parser)
    parser.add_argument("--data", choices=list(ANSWER_SETS), default="en", help="of XQuAD")
    parser.add_argument("--rows", type=int, help="questions, about, where not all")
    return parser


def answer_parts(arguments: argparse.Namespace) -> list:
    """Questions of some articles to learn from, and those of others."""
    table = xquad(ANSWER_SETS[arguments.data].language)
    every = max(1, len(table) // (arguments.rows or len(table)))
    return table.take(range(0, len(table), every)).split(0.3, group="group")
