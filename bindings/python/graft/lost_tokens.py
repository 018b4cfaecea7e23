"""What texts lost on their way to tokens, said once for each data set and each call."""

from __future__ import annotations

import os
import sys
import warnings

#: Above this part, unknown tokens are worth a word: the tokenizer does not know the texts' language
#: or script.
UNKNOWN_SHARE = 0.05


def warn_of_cuts(rows: int, cut: int, maximum_length: int, of: str = "rows") -> None:
    """Says that rows were longer than the limit."""
    if cut > 0:
        warn(f"{cut} of {rows} {of} were cut to {maximum_length} tokens: see maximum_length")


def warn_of_unknown_tokens(tokens: int, unknown: int) -> bool:
    """Says that the tokenizer has no token for much of the texts; whether it did."""
    is_much = unknown > UNKNOWN_SHARE * tokens
    if is_much:
        warn(f"{unknown} of {tokens} tokens are unknown to this tokenizer: it was made for other texts")
    return is_much


def warn(message: str) -> None:
    """A warning at the line that called this package."""
    here = os.path.join(os.path.dirname(__file__), "")
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level)
