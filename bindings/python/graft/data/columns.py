"""Which column of a source is what."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from ..errors import invalid
from ..values import shown
from .records import Record, Records

#: What a column of a :class:`graft.Table` can be, and the words that name such a column where
#: nothing else is said, the surest first.
ROLES: dict[str, tuple[str, ...]] = {
    role: (role, *words.split())
    for role, words in {
        "text": "sentence sentence1 sentence_1 text1 text_1 text_a content review utterance message comment tweet "
        "document query premise question1 body question",
        "pair": "text_pair sentence2 sentence_2 text2 text_2 text_b hypothesis question2",
        "label": "labels label_name label_text label_desc gold_label gold category class intent sentiment polarity "
        "topic is_duplicate stars rating y",
        "labels": "label_set categories classes intents topics",
        "target": "score similarity similarity_score relatedness relatedness_score value",
        "words": "tokens",
        "tags": "ner_tags",
        "entities": "spans",
        "question": "",
        "context": "passage",
        "answers": "answer",
        "candidates": "choices options endings docs",
        "right": "answer_index label",
        "relevance": "relevances",
        "source": "source_text src",
        "output": "target_text translation summary tgt target",
        "prompt": "instruction",
        "completion": "response output answer",
        "chosen": "preferred chosen_response",
        "rejected": "dispreferred rejected_response",
        "messages": "conversations conversation",
        "id": "guid idx index",
        "group": "group_id article doc_id document_id",
    }.items()
}
KNOWN = frozenset(word for words in ROLES.values() for word in words)
#: Words that name a column of labels. Where one stands in a file's first line and in no other, that
#: line is a header.
LABEL_COLUMNS = frozenset((*ROLES["label"], *ROLES["labels"], *ROLES["target"], *ROLES["answers"], "tag"))
#: What is learned from the columns of a table: one of these, which are not looked for where there
#: is one of the others.
LEARNED = ("tags", "entities", "labels", "label", "target")
#: What is learned beside a column without which its name means something else; of tables that have
#: both, nothing else is.
BESIDE = (
    ("candidates", "right"),
    ("candidates", "relevance"),
    ("source", "output"),
    ("prompt", "completion"),
    ("prompt", "chosen"),
    ("prompt", "rejected"),
)
#: All that is learned, but what is said in a conversation.
LEARNED_ROLES = (*LEARNED, *(second for _, second in BESIDE), "answers")
#: What holds texts, each set by itself.
TEXTS: tuple[set[str], ...] = ({"text"}, {"words"}, {"question", "context"}, {"source"}, {"prompt"}, {"messages"})
#: What is looked for by itself where nothing else holds texts, or holds what they are to be
#: compared with.
ALONE = ("source", "prompt", "candidates")
#: What is a list in each row, however its column is called.
LISTS = ("labels", "candidates", "relevance", "messages")

Getter = Callable[[Any], Any]


def learned_column(columns: Container[str]) -> str | None:
    """The one of some columns, or of a table, that is learned from."""
    return next((name for name in LEARNED if name in columns), None)


def has_windows(columns: Container[str]) -> bool:
    """Whether rows that are too long become windows: texts with tags, and contexts of questions."""
    return holds_answers(columns) or learned_column(columns) in ("tags", "entities")


def holds_answers(columns: Container[str]) -> bool:
    """Whether some columns, or those of a table, are questions with contexts and the answers
    there."""
    return all(name in columns for name in ("question", "context", "answers"))


def is_known(name: str) -> bool:
    """Whether a word names a column."""
    return name.strip().casefold() in KNOWN


def said(columns: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns that a caller names, by their roles."""
    given = dict(columns or {})
    for role in given:
        if role not in ROLES:
            raise invalid(f"columns: expected some of {', '.join(ROLES)}; found {role!r}")
    return given


class Columns:
    """How the values of each role are found in a row."""

    def __init__(self, records: Records, given: Mapping[str, Any], sample: Sequence[Record], source: str) -> None:
        self._records, self._source = records, source
        #: What to add where a row is wrong, since that may not be the row's fault.
        self.advice = ""
        keys = {role: self._keys(role, column) for role, column in given.items() if column is not None}
        left_out = {role for role, column in given.items() if column is None}
        if not records.names and not keys and records.width in (2, 3):
            keys = {"text": 0, "pair": 1, "label": 2} if records.width == 3 else {"text": 0, "label": 1}
            self.advice = (
                f" (its {len(keys)} columns were taken for {', '.join(keys)}: header and columns say otherwise)"
            )
            keys = {role: key for role, key in keys.items() if role not in left_out}
        self._recognise(keys, left_out, sample)
        if not any(own <= keys.keys() for own in TEXTS):
            raise invalid(
                f"{source}: {self._found()}, none of which is known to hold texts: say which, as in {self._example()}"
            )
        #: The roles that the source has.
        self.roles = [role for role in ROLES if role in keys]
        self._getters = {role: self._getter(keys[role]) for role in self.roles}
        #: The column that is taken for one label a row although its name means several.
        self._doubtful = self._name(keys["label"]) if "label" in keys and "label" not in given else ""
        if self._doubtful.strip().casefold() != "labels":
            self._doubtful = ""
        #: What numbers in a role's column stand for.
        self.class_names = {
            role: records.class_names[key]
            for role, key in keys.items()
            if isinstance(key, str) and key in records.class_names
        }

    def values(self, row: Any) -> dict[str, Any]:
        """A row's values by their roles. A column that it lacks is a ValueError."""
        values = {}
        for role, getter in self._getters.items():
            try:
                values[role] = getter(row)
            except (KeyError, IndexError):
                raise ValueError(f"{role}: the row has no such column") from None
        if self._doubtful:
            self._require_one_label(values["label"])
        return values

    def _require_one_label(self, value: Any) -> None:
        """Refuses what a column that is called "labels" may mean for several."""
        parts = names_in(value) if isinstance(value, str) else [value]
        if len(parts) != 1:
            one, several = (_said_to_be(role, self._doubtful) for role in ("label", "labels"))
            raise ValueError(
                f"{self._doubtful}: {shown(value)} {'may be one label or several' if parts else 'is no label'}: "
                f"columns {one} says that each row has one, {several} that it has any "
                "number; so do --task sequence_classification and --task multi_label_classification"
            )

    def rename(self, roles: Mapping[str, str]) -> None:
        """Takes the columns of some roles for others; what is said to be a label is one."""
        self._doubtful = "" if "label" in roles else self._doubtful
        self.roles = [roles.get(role, role) for role in self.roles]
        self._getters = {roles.get(role, role): getter for role, getter in self._getters.items()}
        self.class_names = {roles.get(role, role): names for role, names in self.class_names.items()}

    def _keys(self, role: str, column: Any) -> Any:
        if isinstance(column, (list, tuple)):
            if role not in ("target", "labels", "candidates") or not column:
                raise invalid(f"columns: expected one column of {role}, found {column!r}")
            return [(name, self._key(name)) for name in column]
        return self._key(column)

    def _key(self, column: Any) -> Any:
        names, keyed = self._records.names, self._records.keyed
        if isinstance(column, bool) or not isinstance(column, (int, str)):
            raise TypeError(f"columns: expected the name or the number of a column, found {column!r}")
        if isinstance(column, int):
            if keyed or not -self._records.width <= column < self._records.width:
                raise invalid(f"{self._source}: {self._found()}; no column {column}")
            return column
        matching = [number for number, name in enumerate(names) if name == column] or [
            number for number, name in enumerate(names) if name.strip() == column.strip()
        ]
        if len(matching) != 1:
            raise invalid(f"{self._source}: {self._found()}; {len(matching) or 'no'} columns {column!r}")
        return names[matching[0]] if keyed else matching[0]

    def _recognise(self, keys: dict[str, Any], left_out: set[str], sample: Sequence[Record]) -> None:
        """Adds what the names of the columns say."""
        names = {name.strip().casefold(): name for name in reversed(self._records.names)}
        taken = {key for key in keys.values() if not isinstance(key, list)}

        def find(role: str) -> Any:
            """The column of a role; None where there is none."""
            if role in left_out:
                return None
            for word in [*ROLES[role], "labels"] if role == "labels" else ROLES[role]:
                key = self._key(names[word]) if word in names else None
                if key is not None and key not in taken and (role not in LISTS or _holds_lists(key, sample)):
                    return key
            return None

        def take(role: str) -> None:
            key = keys.get(role, find(role))
            if key is not None:
                keys[role] = key
                taken.update([key] if not isinstance(key, list) else [])

        for first, second in BESIDE:
            if all(role in keys or find(role) is not None for role in (first, second)):
                take(first)
                take(second)
        seconds = {second for _, second in BESIDE}
        learns = bool(keys.keys() & {*LEARNED, *seconds})
        for role in ("words", "question", "context", "answers", "messages", *LEARNED, *ROLES):
            is_learned = role in LEARNED or role == "messages"
            if role in (*ALONE, *seconds) or role in keys or (is_learned and learns):
                continue
            if role == "question" and not names.keys() & {*ROLES["context"]}:
                continue  # a text like others
            take(role)
            learns = learns or (is_learned and role in keys)
        for role in ALONE:  # what is predicted on has them without what is learned
            if role == "candidates" or not any(own <= keys.keys() for own in TEXTS):
                take(role)

    def _name(self, key: Any) -> str:
        """Of a column; "" where it has none."""
        if self._records.keyed:
            return str(key)
        return self._records.names[key] if self._records.names else ""

    def _getter(self, key: Any) -> Getter:
        if isinstance(key, list):
            return lambda row: {str(name): row[own] for name, own in key}
        return lambda row: row[key]

    def _found(self) -> str:
        names = self._records.names
        return (
            f"columns are {', '.join(map(repr, names))}" if names else f"{self._records.width} columns without a header"
        )

    def _example(self) -> str:
        names = self._records.names
        return f"columns {_said_to_be('text', names[0] if names else 0)}"


def _said_to_be(role: str, column: str | int) -> str:
    """What says so, in Python and on the command line."""
    import json  # here, since only errors need it

    return json.dumps({role: column}, ensure_ascii=False)


def _holds_lists(key: Any, sample: Sequence[Record]) -> bool:
    for record in sample:
        try:
            return not isinstance(record.values[key], (str, int, float, bool, type(None)))
        except (KeyError, IndexError):
            continue
    return False


def names_in(text: str) -> list[str]:
    """The names of several labels in one text, with commas, semicolons or bars between them."""
    return [part.strip() for part in re.split(r"[,;|]", text) if part.strip()]


def is_number(text: str) -> bool:
    """Whether a text says a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
