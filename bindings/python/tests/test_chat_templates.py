"""Chat templates: conversations to texts and tokens."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from types import MappingProxyType

import pytest

import graft

TEMPLATE = """{{ bos_token }}{% for message in messages %}
{{ message.role }}: {% if message.role == 'assistant' -%}
{% generation %}{{ message.content }}{% endgeneration %}
{% else -%}
{{ message.content }}
{%- endif %}{{ '\\n' }}
{%- endfor %}
{% if add_generation_prompt %}assistant:{% endif %}"""
PLAIN = TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
CHAT = [
    {"role": "user", "content": "how are you"},
    {"role": "assistant", "content": "fine"},
    {"role": "user", "content": "good"},
]


def files(**others: str) -> dict[str, bytes]:
    words = ["?", "<s>", ":", "user", "assistant", "how", "are", "you", "fine", "good"]
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 1, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True}],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": {word: index for index, word in enumerate(words)}, "unk_token": "?"},
    }  # fmt: skip
    config = {"bos_token": "<s>", "chat_template": TEMPLATE}
    found = {"tokenizer.json": json.dumps(tokenizer), "tokenizer_config.json": json.dumps(config), **others}
    return {name: content.encode() for name, content in found.items()}


@pytest.fixture
def tokenizer() -> graft.Tokenizer:
    return graft.Tokenizer.from_files(files())


def test_a_conversation_becomes_text_and_tokens(tokenizer: graft.Tokenizer) -> None:
    text = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert text == "<s>user: how are you\nassistant: fine\nuser: good\nassistant:"
    tokens = tokenizer.apply_chat_template(CHAT, add_generation_prompt=True, return_assistant_tokens_mask=True)
    assert tokens["input_ids"] == [1, 3, 2, 5, 6, 7, 4, 2, 8, 3, 2, 9, 4, 2]
    assert tokens["attention_mask"] == [1] * 14
    assert tokens["assistant_masks"] == [0] * 8 + [1] + [0] * 5
    assert tokenizer.apply_chat_template(CHAT, add_generation_prompt=True, return_dict=False) == tokens["input_ids"]


def test_a_template_without_marks_tells_who_speaks_all_the_same(tokenizer: graft.Tokenizer) -> None:
    tokens = tokenizer.apply_chat_template(CHAT, chat_template=PLAIN, return_assistant_tokens_mask=True)
    assert tokens["assistant_masks"] == [0] * 8 + [1] + [0] * 3
    shrinking = "{{ messages|length }}"
    with pytest.raises(graft.GraftError, match="otherwise when others follow"):
        tokenizer.apply_chat_template(CHAT, chat_template=shrinking, return_assistant_tokens_mask=True)


def test_the_last_message_goes_on(tokenizer: graft.Tokenizer) -> None:
    chat = CHAT[:2]
    assert tokenizer.apply_chat_template(chat, tokenize=False, continue_final_message=True).endswith("assistant: fine")
    with pytest.raises(graft.GraftError, match="add_generation_prompt"):
        tokenizer.apply_chat_template(chat, continue_final_message=True, add_generation_prompt=True)


def test_files_come_before_the_configuration() -> None:
    tokenizer = graft.Tokenizer.from_files(files(**{"chat_template.jinja": "{{ messages[0].content|upper }}"}))
    assert tokenizer.apply_chat_template(CHAT, tokenize=False) == "HOW ARE YOU"


def test_additional_files_have_names(tmp_path: Path) -> None:
    for name, content in files(**{"chat_template.jinja": "default"}).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "tool_use.jinja").write_text("tools {{ (tools or [])|length }}")
    tokenizer = graft.Tokenizer(tmp_path)
    assert tokenizer.apply_chat_template(CHAT, tokenize=False) == "default"
    assert tokenizer.apply_chat_template(CHAT, tools=[{}, {}], tokenize=False) == "tools 2"
    assert tokenizer.apply_chat_template(CHAT, chat_template="tool_use", tokenize=False) == "tools 0"


def test_whatever_is_like_a_list_or_a_dictionary_is_taken(tokenizer: graft.Tokenizer) -> None:
    chat = (MappingProxyType({"role": "user", "content": "é\0🙂"}), OrderedDict(role="user", content=("a", 1.0)))
    text = tokenizer.apply_chat_template(chat, tokenize=False, chat_template="{{ messages|tojson }}{{ x }}", x=[None])
    assert text == '[{"role": "user", "content": "é\\u0000🙂"}, {"role": "user", "content": ["a", 1.0]}][None]'
    with pytest.raises(TypeError, match="JSON"):
        tokenizer.apply_chat_template([{"role": "user", "content": object()}])


def test_a_long_text_fits(tokenizer: graft.Tokenizer) -> None:
    text = tokenizer.apply_chat_template(CHAT, tokenize=False, chat_template="{{ 'x' * 1000000 }}")
    assert text == "x" * 1_000_000


def test_refusals_say_why(tokenizer: graft.Tokenizer) -> None:
    with pytest.raises(graft.GraftError, match="No tools here"):
        tokenizer.apply_chat_template(CHAT, chat_template="{{ raise_exception('No tools here') }}")
    with pytest.raises(graft.GraftError, match="line 1: the filter \"nope\" is not known"):
        tokenizer.apply_chat_template(CHAT, chat_template="{{ 1|nope }}")
    with pytest.raises(graft.GraftError, match="no chat template"):
        graft.Tokenizer.from_files({"tokenizer.json": files()["tokenizer.json"]}).apply_chat_template(CHAT)
    with pytest.raises(ValueError, match="return_dict"):
        tokenizer.apply_chat_template(
            CHAT,
            tokenize=False,
            return_assistant_tokens_mask=True,  # type: ignore[call-overload]
        )
