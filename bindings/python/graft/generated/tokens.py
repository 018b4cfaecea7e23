"""How a text is cut into what is counted, as sacrebleu and rouge-score do it."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..values import choice

#: WMT's mteval-v13a: punctuation stands alone, but periods and commas within numbers.
RULES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"([\{-\~\[-\` -\&\(-\+\:-\@\/])", r" \1 "),
        (r"([^0-9])([\.,])", r"\1 \2 "),
        (r"([\.,])([^0-9])", r" \1 \2"),
        (r"([0-9])(-)", r"\1 \2 "),
    )
)
MARKS = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
#: What sacrebleu's tokenizer for Chinese sets apart. Its ranges of rarer characters are none, and
#: what it has in their place, from U+2001 on, is mostly punctuation.
CHINESE = re.compile(
    "([\u3400-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\uff00-\uffef\u2e80-\u2eff\u3000-\u303f"
    "\u31c0-\u31ef\u2001-\u2a6d\u2f00-\u2fdf\u2ff0-\u2fff\u3100-\u312f\u31a0-\u31bf\ufe10-\ufe1f\ufe30-\ufe4f"
    "\u3200-\u33ff])"
)
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
WORD = re.compile("[a-z0-9]+")

Cut = Callable[[str], list[str]]


def western(text: str) -> list[str]:
    """sacrebleu's "13a"."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for mark, character in MARKS if "&" in text else ():
        text = text.replace(mark, character)
    return _punctuated(f" {text} ")


def chinese(text: str) -> list[str]:
    """sacrebleu's "zh"."""
    return _punctuated(CHINESE.sub(r" \1 ", text.strip()))


def characters(text: str) -> list[str]:
    """sacrebleu's "char"."""
    return [character for character in text if not character.isspace()]


def _punctuated(text: str) -> list[str]:
    for rule, by in RULES:
        text = rule.sub(by, text)
    return text.split()


def words(text: str) -> list[str]:
    """rouge-score's, without stemming: of any language that is not written in a to z, none."""
    return WORD.findall(text.lower())


def lower_characters(text: str) -> list[str]:
    """What is usual for ROUGE of Chinese."""
    return characters(text.lower())


#: By the names that sacrebleu has for them: what BLEU counts, and what ROUGE does.
TOKENIZERS: dict[str, tuple[Cut, Cut]] = {
    "13a": (western, words),
    "zh": (chinese, lower_characters),
    "char": (characters, lower_characters),
}


def tokenizers(name: str) -> tuple[Cut, Cut]:
    """Those of a name."""
    choice(name, dict.fromkeys(TOKENIZERS, 0), "tokenize")
    return TOKENIZERS[name]


def is_chinese(text: str) -> bool:
    """Whether half of what is no white space is Chinese."""
    return 2 * len(HAN.findall(text)) > len(characters(text))
