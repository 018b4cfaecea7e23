"""Questions of XQuAD with candidates of which one is right: sentences to choose from, and
paragraphs to rank. Those to test on are about other articles than those to learn from.
"""

import argparse
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from data import recipe_parser, relevance, shuffled, xquad


@dataclass(frozen=True)
class GroupRecipe:
    maximum_length: int
    groups_per_batch: int
    candidates: int
    learning_rate: float = 2e-3

    @property
    def rows_per_batch(self) -> int:
        return self.groups_per_batch * self.candidates


#: Of ours/choices.py and peers/choices.py.
CHOICE_RECIPE = GroupRecipe(maximum_length=128, groups_per_batch=8, candidates=4)
#: Of ours/rankings.py and peers/rankings.py.
RANKING_RECIPE = GroupRecipe(maximum_length=128, groups_per_batch=4, candidates=10)
#: By name, with what graft.Trainer is told; the first is Bayesian personalised ranking.
RANKING_LOSSES = {"rank_net": {"reduction_log": "natural"}, "list_net": {}}


@dataclass(frozen=True)
class Groups:
    """Questions, the candidates of each, and the place of the right one."""

    questions: list[str]
    candidates: list[list[str]]
    right: list[int]

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def relevance(self) -> list[list[float]]:
        """1 for the right one, 0 for the others."""
        return relevance(self.right, len(self.candidates[0]))


def choice_parser(description: str | None) -> argparse.ArgumentParser:
    return recipe_parser(description, epochs=6)


def ranking_parser(description: str | None) -> argparse.ArgumentParser:
    parser = recipe_parser(description, epochs=4)
    parser.add_argument("--loss", choices=list(RANKING_LOSSES), default="rank_net")
    parser.add_argument("--rows", type=int, default=200, help="questions to learn from, of a fixed shuffle")
    return parser


def _parts() -> tuple:
    return xquad().split(0.3, group="group")


def choices() -> tuple[Groups, Groups]:
    """Four sentences in a row of a question's paragraph, one of which has the answer."""
    return tuple(map(_choices, _parts()))


def _choices(table) -> Groups:
    made, count = Groups([], [], []), CHOICE_RECIPE.candidates
    for number, row in enumerate(table):
        ends = [found.end() for found in re.finditer(r"[.!?](?= [A-Z])", row["context"])]
        sentences = [row["context"][start:end] for start, end in zip([0, *ends], [*ends, None])]
        answer = sum(end <= row["answers"][0].start for end in ends)
        first = min(max(0, answer - number % count), len(sentences) - count)
        if first >= 0:
            made.questions.append(row["question"])
            made.candidates.append(sentences[first : first + count])
            made.right.append(answer - first)
    return made


def rankings(rows: int) -> tuple[Groups, Groups]:
    """The paragraphs of a question's article, which are five, and as many of other articles, in
    random order.
    """
    train, test = _parts()
    return _rankings(train, shuffled(len(train), seed=0)[:rows]), _rankings(test, range(len(test)))


def _rankings(table, rows: Iterable[int]) -> Groups:
    made, source = Groups([], [], []), random.Random(0)
    articles = {}
    for group, context in zip(table["group"], table["context"], strict=True):
        articles.setdefault(group, {})[context] = None
    paragraphs = {name: list(own) for name, own in articles.items()}
    for row in table.take(rows):
        own = paragraphs[row["group"]]
        others = [text for name, texts in paragraphs.items() if name != row["group"] for text in texts]
        candidates = own + source.sample(others, RANKING_RECIPE.candidates - len(own))
        source.shuffle(candidates)
        made.questions.append(row["question"])
        made.candidates.append(candidates)
        made.right.append(candidates.index(row["context"]))
    return made
