"""The tasks whose training and predictions are timed, and what their rows are to be."""

from dataclasses import dataclass, field

from data import full_length_texts

TAGS = ("O", *(f"{place}-{kind}" for kind in ("PER", "LOC", "ORG", "MISC") for place in "BI"))


@dataclass(frozen=True)
class Task:
    """`head` and `task_type` are its names in Graft and in PEFT; `columns` makes what is learned
    of rows × tokens.
    """

    head: str
    task_type: str
    labels: tuple[str, ...] = ()
    #: (rows, tokens) that are predicted.
    shapes: tuple[tuple[int, int], ...] = ((1, 32), (32, 64))
    #: What a trainer of Graft is told beside the task.
    settings: dict = field(default_factory=dict)

    def columns(self, rows: int, tokens: int) -> dict[str, list]:
        """By the names of graft.Batch.set_column."""
        match self.head:
            case "token_classification":
                return {"token_labels": [[token % len(TAGS) for token in range(tokens)]] * rows}
            case "question_answering":
                return {"answer_spans": [[tokens // 2 + row, tokens // 2 + row + 2] for row in range(rows)]}
            case "sentence_embedding":
                return {"group_places": [0, 1] * (rows // 2), "targets": [row // 2 % 6 / 5 for row in range(rows)]}
            case _:
                return {"labels": [row % len(self.labels) for row in range(rows)]}


TASKS = {
    "classification": Task("sequence_classification", "SEQ_CLS", ("negative", "positive")),
    "tagging": Task("token_classification", "TOKEN_CLS", TAGS),
    "answering": Task("question_answering", "QUESTION_ANS", shapes=((1, 256), (8, 256))),
    "embeddings": Task("sentence_embedding", "FEATURE_EXTRACTION", settings={"loss": "cosent"}),
}
#: Words of a question, in rows of answering.
QUESTION_WORDS = 10


def predicted_texts(name: str, rows: int, tokens: int) -> list[tuple[str, ...]]:
    """Rows of exactly so many tokens: a text, or a question with its context."""
    if name != "answering":
        return [(text,) for text in full_length_texts(rows, tokens)]
    words = [text.split() for text in full_length_texts(rows, tokens - 1)]
    return [(" ".join(own[:QUESTION_WORDS]), " ".join(own[QUESTION_WORDS:])) for own in words]
