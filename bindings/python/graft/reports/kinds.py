"""What can be predicted of rows, by the names of tasks of tables."""

from __future__ import annotations

from ..answers import ANSWERS
from ..entities import TAGS

LABELS, SETS, VALUES = "sequence_classification", "multi_label_classification", "regression"
VECTORS, CHOICES, RANKINGS = "sentence_embedding", "multiple_choice", "ranking"
HIDDEN, WRITTEN, ANSWERED = "masked_language_model", "seq_2_seq_lm", "language_model"
PREFERRED = "preferences"
TASKS = (LABELS, SETS, VALUES, TAGS, ANSWERS, VECTORS, CHOICES, RANKINGS, HIDDEN, WRITTEN, ANSWERED, PREFERRED)
#: Of which the predictions are texts that a model wrote.
TEXTS = (WRITTEN, ANSWERED)
