"""Labels of words, and named entities."""

from __future__ import annotations

from typing import Any

from ..batch import Batch
from ..data.measuring import Texts
from ..data.table import Table
from ..entities import TAGS, sentence_of
from ..session import Session
from ..token_labels import labels_of_entities, labels_of_words
from ..tokenizer import Tokenizer
from ..values import text_list
from ..windows import tagged_batch
from .checks import check_classes, check_labels
from .table_task import Asking, Making, TableTask


class Tags(TableTask):
    """``token_classification``."""

    name = task = TAGS
    columns = (("words", "tags"), ("text", "entities"))

    def batch(self, tokenizer: Tokenizer, table: Table, making: Making) -> tuple[Batch, list[str]]:
        names, pieces = making.label_names, making.all_pieces
        if "tags" in table:
            check_labels(table, "tags", names)
            sentences = [sentence_of(words, f"row {row}: words") for row, words in enumerate(table["words"])]
            texts = [sentence.text for sentence in sentences]
            labels, names = labels_of_words(tokenizer, sentences, table["tags"], names, pieces)
        else:
            if names is None:
                check_classes(table, "entities")
            texts = text_list(table["text"], "text")
            labels, names = labels_of_entities(
                tokenizer, table["text"], table["entities"], names, making.scheme, pieces, table.place
            )
        return tagged_batch(tokenizer, texts, labels, names, making.maximum_length, making.stride), names

    def predict(self, session: Session, texts: Texts, asking: Asking) -> list[dict[str, Any]]:
        return [{"entities": [entity._asdict() for entity in found]} for found in session.tag(texts.first, stride=asking.stride)]

    def line(self, row: dict[str, Any]) -> str:
        return " ".join(f"{entity['type']}:{entity['start']}:{entity['end']}" for entity in row["entities"])
