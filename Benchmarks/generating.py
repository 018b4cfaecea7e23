"""Texts that go on, on all sides: what each program takes, and prompts of so many tokens."""

import argparse

from data import full_length_texts
from settings import MODELS

#: Of each of the adapters that rows have of their own.
ROW_LORA = {"r": 8, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"]}


def generating_parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--context", type=int, default=100, help="tokens that a row has before")
    parser.add_argument("--steps", type=int, default=60, help="tokens that are timed; 0: times reading the context")
    parser.add_argument("--adapters", action="store_true", help="another one for each row")
    return parser


def model_file(precision: str):
    """The real SmolLM2, whose file has these numbers."""
    return MODELS / f"smollm2-135m-{precision}.gguf"


def prompts(count: int, tokens: int) -> list[str]:
    """Texts of exactly so many tokens of SmolLM2, each another from its first word on."""
    return full_length_texts(count, tokens + 2)
