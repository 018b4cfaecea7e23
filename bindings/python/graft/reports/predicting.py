"""What an adapter makes of the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import mul
from typing import Any, NamedTuple

from .. import evaluation as measuring
from ..answers import ANSWERS
from ..conversations import NO_LABEL, opening_of
from ..data.measuring import Texts, candidate_lengths, texts_of, token_counts
from ..data.table import Table
from ..entities import TAGS
from ..lost_tokens import warn
from ..metrics import Evaluation
from ..session import Session
from ..table_tasks.choices import softmax
from ..table_tasks.conversations import openings_of
from ..table_tasks.preferred import rows_of_pairs
from ..table_tasks.rankings import groups_of
from ..table_tasks.table_task import Adapted, Asking, TableTask
from ..tokenizer import Tokenizer
from .kinds import ANSWERED, CHOICES, HIDDEN, LABELS, PREFERRED, RANKINGS, SETS, VALUES, VECTORS, WRITTEN

#: Rows that are predicted at a time.
CHUNK = 512
#: Texts that are looked for, and among how many, and words that are hidden: they bound the time.
SOUGHT, SEARCHED, MOST_HIDDEN = 200, 1000, 2000
#: A pair is alike from here on, as a part of the way from the lowest judgement to the highest.
ALIKE = 0.75


class Found(NamedTuple):
    """Of each row what is and what was predicted."""

    task: str
    truth: list[Any]
    predicted: list[Any]
    #: What is shown of each row.
    texts: list[str]
    #: In tokens, of each row, or of each text in which words were hidden.
    lengths: list[int]
    #: The same of what was to be written.
    target_lengths: list[int] | None = None
    candidates: list[list[str]] | None = None
    #: Whether entities are tags of characters rather than of words.
    of_characters: bool = False
    #: What vectors find.
    retrieval: Evaluation | None = None
    #: What a trainer measures beside it.
    measured: dict[str, float] = {}
    #: What a trainer measures of just these rows.
    evaluation: Evaluation | None = None


class Question(NamedTuple):
    """An adapter, and the rows that it is asked about."""

    task: TableTask
    adapted: Adapted
    table: Table
    asking: Asking
    session: Session

    @property
    def tokenizer(self) -> Tokenizer:
        """That of the adapter's model."""
        return self.adapted.tokenizer


def found_by(task: TableTask, adapted: Adapted, table: Table, asking: Asking) -> Found:
    """What is predicted of the rows of a table."""
    with adapted.session() as session:
        return FINDERS.get(task.name, _of_rows)(Question(task, adapted, table, asking, session))


def _of_rows(given: Question) -> Found:
    """Labels, sets of them, and numbers."""
    texts, column = texts_of(given.table), {LABELS: "label", SETS: "labels", VALUES: "target"}[given.task.name]
    rows: list[list[float]] = []
    predict = given.session.classify if column == "target" else given.session.predict_proba
    for start in range(0, len(texts.first), CHUNK):
        second = None if texts.second is None else texts.second[start : start + CHUNK]
        rows += predict(texts.first[start : start + CHUNK], second).tolist()
    return Found(given.task.name, given.table[column], rows, _shown(texts), _lengths(given.tokenizer, texts))


def _of_tags(given: Question) -> Found:
    texts = texts_of(given.table)
    shown, lengths = _shown(texts), _lengths(given.tokenizer, texts)
    if "tags" in given.table:
        found = given.session.tag_words(given.table["words"], stride=given.asking.stride)
        return Found(TAGS, given.table["tags"], found, shown, lengths)
    sides = given.table["entities"], given.session.tag(texts.first, stride=given.asking.stride)
    truth, found = (list(map(_characters, texts.first, rows)) for rows in sides)
    return Found(TAGS, truth, found, shown, lengths, of_characters=True)


def _characters(text: str, entities: Iterable[Any]) -> list[str]:
    """Entities as tags of a text's characters, of which those that begin one are B."""
    tags = ["O"] * len(text)
    for entity in entities:
        tags[entity.start : entity.end] = [f"I-{entity.type}"] * (entity.end - entity.start)
        tags[entity.start] = f"B-{entity.type}"
    return tags


def _of_answers(given: Question) -> Found:
    texts = texts_of(given.table)
    asking = given.asking
    found = given.session.answer(
        texts.first, texts.second or [], maximum_tokens=asking.maximum_answer_tokens, stride=asking.stride
    )
    accepted = [[answer.text for answer in own] for own in given.table["answers"]]
    return Found(ANSWERS, accepted, [own.text for own in found], _shown(texts), _lengths(given.tokenizer, texts))


def _of_vectors(given: Question) -> Found:
    """Cosines of pairs that were judged; of other pairs, which are alike, where the second is
    among all."""
    texts = texts_of(given.table)
    first, second = (given.session.embed(own, normalize=True).tolist() for own in (texts.first, texts.second or []))
    lengths = list(map(max, *(_lengths(given.tokenizer, Texts(own)) for own in (texts.first, texts.second or []))))
    rows = list(range(min(len(first), SEARCHED)))
    truth: list[float] | None = given.table["target"] if "target" in given.table else None
    least = 0.0 if truth is None else min(truth) + ALIKE * (max(truth) - min(truth))
    sought = [row for row in rows if truth is None or truth[row] >= least][:SOUGHT]
    pairs = (texts.second or [])[: len(rows)]
    relevance = [[float(other == row or pairs[other] == pairs[row]) for other in rows] for row in sought]
    scores = [[_product(first[row], second[other]) for other in rows] for row in sought]
    if truth is None:
        shown = [texts.first[row] for row in sought]
        return Found(RANKINGS, relevance, scores, shown, [lengths[row] for row in sought], candidates=[pairs] * len(sought))
    retrieval = measuring.rankings(relevance, scores, k=10) if len(rows) > 1 and sought else None
    return Found(VECTORS, truth, list(map(_product, first, second)), _shown(texts), lengths, retrieval=retrieval)


def _product(one: list[float], other: list[float]) -> float:
    return float(sum(map(mul, one, other)))


def _of_choices(given: Question) -> Found:
    texts, candidates = given.table["text"], given.table["candidates"]
    shares = list(map(softmax, given.session.score(texts, candidates)))
    lengths = candidate_lengths(given.tokenizer, texts, candidates)
    return Found(CHOICES, given.table["right"], shares, texts, lengths, candidates=candidates)


def _of_rankings(given: Question) -> Found:
    texts, candidates, relevance = groups_of(given.table)
    scores = given.session.score(texts, candidates)
    lengths = candidate_lengths(given.tokenizer, texts, candidates)
    return Found(RANKINGS, relevance, scores, texts, lengths, candidates=candidates)


def _of_hidden(given: Question) -> Found:
    """Each token of each word is hidden in turn; of many, some that are evenly spread."""
    adapted, texts = given.adapted, given.table["text"]
    limit = adapted.maximum_length or adapted.adapter.maximum_length or 0
    encodings = [given.tokenizer.encode(text, maximum_length=limit) for text in texts]
    places = [
        (row, place)
        for row, encoding in enumerate(encodings)
        for place, word in enumerate(encoding.word_ids)
        if word is not None
    ]
    if len(places) > MOST_HIDDEN:
        places = [places[number * len(places) // MOST_HIDDEN] for number in range(MOST_HIDDEN)]
    found = given.session.guess_hidden([encodings[row].ids for row, _ in places], [place for _, place in places])
    truth, shown = [], []
    for row, place in places:
        start, end = encodings[row].offsets[place]
        truth.append(given.tokenizer.decode([encodings[row].ids[place]], skip_special_tokens=False).strip())
        shown.append(f"{texts[row][:start]}[…]{texts[row][end:]}")
    guesses = [(guess.text, probability) for guess, probability in found]
    return Found(HIDDEN, truth, guesses, shown, _lengths(given.tokenizer, Texts(texts)))


def _of_sources(given: Question) -> Found:
    return _of_written(given, WRITTEN, given.table["source"], given.table["source"], given.table["output"])


def _of_prompts(given: Question) -> Found:
    """The latest answers of conversations, and completions of prompts."""
    tokenizer, table = given.tokenizer, given.table
    if "messages" not in table:
        prompts = table["prompt"]
        return _of_written(given, ANSWERED, prompts, openings_of(tokenizer, prompts), table["completion"])
    shown, prompts, wanted = [], [], []
    for messages in table["messages"]:
        latest = max(place for place, message in enumerate(messages) if message["role"] == "assistant")
        shown.append("\n".join(message["content"] for message in messages[:latest]))
        prompts.append(opening_of(tokenizer, messages[:latest]))
        wanted.append(messages[latest]["content"])
    return _of_written(given, ANSWERED, shown, prompts, wanted)


def _of_written(given: Question, task: str, shown: list[str], prompts: list[str], wanted: list[str]) -> Found:
    written = [own.strip() for own in given.session.generate(prompts, **given.asking.generation)]
    lengths, others = (_lengths(given.tokenizer, Texts(texts)) for texts in (prompts, wanted))
    measured = given.task.measured(given.adapted, given.table, given.asking).values
    return Found(task, wanted, written, shown, lengths, others, measured=measured)


def _of_pairs(given: Question) -> Found:
    """The rewards of both answers to each prompt. Pairs of which one is cut away are left out."""
    table, model = given.table, given.adapted.model
    evaluation = given.task.measured(given.adapted, table, given.asking)
    pairs = rows_of_pairs(given.tokenizer, table, model.end_tokens[:1])
    limit = given.adapted.limit
    rows = [
        place
        for place, pair in enumerate(pairs)
        if all(any(label != NO_LABEL for label in row.counted(limit)) for row in pair)
    ]
    if len(rows) < len(table):
        warn(f"{len(table) - len(rows)} of {len(table)} pairs were left out, of which an answer is cut away: see maximum_length")
    columns = sorted(name for name in evaluation.values if name.startswith("rewards_"))
    places = [columns.index(name) for name in ("rewards_chosen", "rewards_rejected")]
    rewards = [[row[place] for place in places] for row in evaluation.table("rows")]
    prompts, chosen, rejected = ([table[name][row] for row in rows] for name in ("prompt", "chosen", "rejected"))
    lengths = [max(len(row.ids) for row in pairs[place]) for place in rows]
    candidates = list(map(list, zip(chosen, rejected)))
    return Found(PREFERRED, [0] * len(rows), rewards, prompts, lengths, candidates=candidates, evaluation=evaluation)


def _lengths(tokenizer: Tokenizer, texts: Texts) -> list[int]:
    return token_counts(tokenizer, texts)[0]


def _shown(texts: Texts) -> list[str]:
    """A text above the other of a pair."""
    return texts.first if texts.second is None else list(map("{}\n{}".format, texts.first, texts.second))


#: By the tasks of tables; what is not among them has a label or a number for each row.
FINDERS: dict[str, Callable[[Question], Found]] = {
    TAGS: _of_tags,
    ANSWERS: _of_answers,
    VECTORS: _of_vectors,
    CHOICES: _of_choices,
    RANKINGS: _of_rankings,
    HIDDEN: _of_hidden,
    WRITTEN: _of_sources,
    ANSWERED: _of_prompts,
    PREFERRED: _of_pairs,
}
