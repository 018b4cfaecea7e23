"""What a command says: lines for people, or one JSON object for machines."""

from __future__ import annotations

import json
import math
import sys
from typing import Any


class Output:
    """Standard output of a command."""

    def __init__(self, is_json: bool) -> None:
        self.is_json = is_json

    def line(self, text: str) -> None:
        """A line for people, at once."""
        if not self.is_json:
            print(text, flush=True)

    def result(self, values: dict[str, Any]) -> None:
        """What machines get, once."""
        if self.is_json:
            print(json.dumps(_without_nan(values), ensure_ascii=False, allow_nan=False))

    def fail(self, status: str, message: str) -> None:
        """Says what failed: to people on standard error, to machines as the object."""
        print(f"graft: {message}", file=sys.stderr)
        self.result({"error": {"status": status, "message": message}})

    def close(self) -> None:
        """At the end: what could not be written is an error now."""
        sys.stdout.flush()


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: null says the same."""
    if isinstance(value, dict):
        return {key: _without_nan(own) for key, own in value.items()}
    if isinstance(value, list):
        return [_without_nan(own) for own in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
