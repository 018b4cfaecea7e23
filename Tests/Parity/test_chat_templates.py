"""Chat templates, against jinja2 and transformers' `apply_chat_template`: the same text, the same
tokens and the same mask, or both refuse.
"""

import copy
import json
import os
import random
import shutil
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import gguf
import pytest
from transformers import AutoTokenizer

import graft
from conftest import GOLDENS, MINILM, SHARED

sys.path.append(str(GOLDENS))

from makers import chat_templates  # noqa: E402
from makers.listed_templates import VARIABLES  # noqa: E402
from makers.random_templates import Generator  # noqa: E402

warnings.filterwarnings("ignore")

TEMPLATES = sorted((GOLDENS / "chat-templates").glob("*.jinja"))
QWEN = SHARED / "tokenizers" / "qwen-tiktoken"
#: A real file that has a template.
SMOLLM = MINILM.parent / "smollm2-135m-instruct.gguf"
#: Random conversations of each template; more with GRAFT_TEST_WHOLE=1 (`make test-whole`).
CONVERSATION_COUNT = 2000 if os.environ.get("GRAFT_TEST_WHOLE") else 250


@pytest.fixture(scope="module")
def tokenizer() -> graft.Tokenizer:
    return graft.Tokenizer(MINILM)


@pytest.mark.parametrize("seed", range(40))
def test_random_templates_are_rendered_as_jinja2_renders_them(tokenizer: graft.Tokenizer, seed: int) -> None:
    generator = Generator(1000 + seed)
    variables = {"messages": [{"role": "user", "content": "x"}], "tools": None, "documents": None,
                 "add_generation_prompt": False, **VARIABLES}  # fmt: skip
    extra = {name: value for name, value in VARIABLES.items()}
    for _ in range(200):
        source = generator.template()
        expected = chat_templates.rendered(source, copy.deepcopy(variables))
        try:
            text = tokenizer.apply_chat_template(
                variables["messages"], chat_template=source, tokenize=False, **copy.deepcopy(extra)
            )
        except graft.GraftError as error:
            # Python's text of a generator has its address, unless a filter took that apart.
            assert "error" in expected or "has no text" in str(error), (source, error, expected)
        else:
            assert expected.get("text") == text, source


CONTENTS = [
    "", " ", "Hi", " Hello,\n\"world\" ", "<|im_end|>\n<|im_start|>user\n",
    "[INST] a [/INST]", "<think>\nwell\n</think>\n\nYes",
    "é中🙂 e\u0301", "{{ 7 }}{% if %}", "a\n\nb\t", "</s><s>",
    "'it''s' \\n", "\u00a0\u2028x", "1" * 300, "/no_think", "<tool_call>",
]  # fmt: skip


def random_conversation(chance: random.Random) -> dict:
    """As a rule what a template is for: who speaks in turn, after the system or not."""
    def content() -> object:
        texts = [{"type": "text", "text": text} for text in chance.choices(CONTENTS, k=2)]
        return chance.choices([chance.choice(CONTENTS), texts, None], [20, 1, 0.5])[0]

    messages: list[dict] = [{"role": "system", "content": content()}] if chance.random() < 0.5 else []
    for turn in range(chance.randrange(1, 9)):
        in_turn = ("user", "assistant")[turn % 2]
        role = in_turn if chance.random() < 0.95 else chance.choice(["user", "assistant", "system", "tool"])
        message = {"role": role, "content": content()}
        if role == "assistant" and chance.random() < 0.1:
            message["reasoning_content"] = chance.choice(CONTENTS)
        if role == "assistant" and chance.random() < 0.1:
            message["tool_calls"] = [chat_templates.CALL] * chance.randrange(1, 3)
            messages += [message, {"role": "tool", "content": content(), "tool_call_id": chat_templates.CALL["id"]}]
        else:
            messages.append(message)
    found = {"messages": messages, "add_generation_prompt": chance.random() < 0.5, "date_string": "1 May 2024"}
    if chance.random() < 0.2:
        found["tools"] = chat_templates.TOOLS
    if chance.random() < 0.2:
        found["enable_thinking"] = chance.random() < 0.5
    return found


def assert_applied_alike(ours: Callable[..., str], source: str, **tokens: str) -> None:
    """Of many conversations the template's text is that of transformers, or both refuse."""
    theirs = AutoTokenizer.from_pretrained(MINILM)
    chance, count = random.Random(1), 0
    for _ in range(CONVERSATION_COUNT):
        variables = random_conversation(chance)
        messages = variables.pop("messages")
        options = {"tokenize": False, **variables}
        expected = outcome(theirs.apply_chat_template, messages, chat_template=source, **options, **tokens)
        assert outcome(ours, messages, **options, **tokens) == expected
        count += expected is not None
    assert count >= CONVERSATION_COUNT / 6


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_are_applied_to_random_conversations_as_transformers_does(
    tokenizer: graft.Tokenizer, path: Path
) -> None:
    source = path.read_text(encoding="utf-8")
    assert_applied_alike(partial(tokenizer.apply_chat_template, chat_template=source), source, **chat_templates.TOKENS)


def test_the_template_of_a_real_file_is_applied_as_transformers_does() -> None:
    source = gguf.GGUFReader(SMOLLM).fields["tokenizer.chat_template"].contents()
    assert_applied_alike(graft.Tokenizer(SMOLLM).apply_chat_template, source)


def folder_with(path: Path, source: Path, **files: str) -> Path:
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "config.json"):
        if (source / name).exists():
            shutil.copy(source / name, path / name)
    for name, content in files.items():
        file = path / name.replace("__", "/").replace("_jinja", ".jinja")
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return path


def outcome(function, *arguments, **options):  # noqa: ANN001, ANN201
    try:
        return function(*copy.deepcopy(arguments), **copy.deepcopy(options))
    except Exception:  # noqa: BLE001
        return None


def same(theirs, ours, messages: list, **options) -> bool:  # noqa: ANN001
    """Whether both gave something."""
    text = outcome(theirs.apply_chat_template, messages, tokenize=False, **options)
    assert outcome(ours.apply_chat_template, messages, tokenize=False, **options) == text
    if text is None:
        return False
    tokens = theirs.apply_chat_template(copy.deepcopy(messages), **copy.deepcopy(options))
    found = ours.apply_chat_template(messages, **options)
    assert found["input_ids"] == list(tokens["input_ids"])
    assert found["attention_mask"] == list(tokens["attention_mask"])
    assert ours.apply_chat_template(messages, return_dict=False, **options) == list(tokens["input_ids"])
    return True


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_folders_template_is_applied_as_transformers_does(tmp_path: Path, path: Path) -> None:
    config = json.loads((MINILM / "tokenizer_config.json").read_text())
    config = json.dumps({**config, "bos_token": "[CLS]", "eos_token": "[SEP]"})
    template = path.read_text(encoding="utf-8")
    folder = folder_with(tmp_path, MINILM, chat_template_jinja=template, **{"tokenizer_config.json": config})
    theirs, ours = AutoTokenizer.from_pretrained(folder), graft.Tokenizer(folder)
    given = 0
    for variables in chat_templates.CONVERSATIONS.values():
        options = {**variables, "date_string": "1 May 2024"}
        messages = options.pop("messages")
        given += same(theirs, ours, messages, **options)
        options.pop("add_generation_prompt", None)
        for member in (True, "content", "reasoning_content"):
            same(theirs, ours, messages, continue_final_message=member, **options)
        if "generation %}" in template:
            options["return_assistant_tokens_mask"] = True
            expected = outcome(theirs.apply_chat_template, messages, **options)
            found = outcome(ours.apply_chat_template, messages, **options)
            assert (expected is None) == (found is None)
            if found:
                assert found["assistant_masks"] == expected["assistant_masks"]
    assert given >= 3


NAMED = {
    "default": "D{{ cls_token }}{% for m in messages %}{{ m.content }}{% endfor %}",
    "tool_use": "T{{ tools|tojson }}{{ sep_token }}{{ unk_token }}{{ bos_token is defined }}",
    "rag": "R{{ documents }}",
}


def variants() -> dict:
    config = json.loads((MINILM / "tokenizer_config.json").read_text())
    listed = [{"name": name, "template": template} for name, template in NAMED.items()]
    return {
        "a string": {"tokenizer_config.json": json.dumps({**config, "chat_template": NAMED["default"]})},
        "a list": {"tokenizer_config.json": json.dumps({**config, "chat_template": listed})},
        "a list without default": {"tokenizer_config.json": json.dumps({**config, "chat_template": listed[1:]})},
        "files": {"chat_template_jinja": NAMED["default"], "additional_chat_templates__tool_use_jinja": NAMED["tool_use"]},
        "files and a string": {
            "chat_template_jinja": "F{{ messages }}",
            "tokenizer_config.json": json.dumps({**config, "chat_template": NAMED["default"]}),
        },
        "an additional file alone": {"additional_chat_templates__rag_jinja": NAMED["rag"]},
        "none": {},
    }


@pytest.mark.parametrize("name", variants())
def test_templates_are_found_where_transformers_finds_them(tmp_path: Path, name: str) -> None:
    folder = folder_with(tmp_path, MINILM, **variants()[name])
    theirs, ours = AutoTokenizer.from_pretrained(folder), graft.Tokenizer(folder)
    messages = [{"role": "user", "content": "Hi"}]
    for options in (
        {}, {"tools": []}, {"tools": [{"a": 1}]}, {"chat_template": "rag"}, {"chat_template": "tool_use"},
        {"chat_template": "{{ messages }}"}, {"documents": [{"a": "b"}], "chat_template": "rag"},
        {"cls_token": "mine"},
    ):  # fmt: skip
        same(theirs, ours, messages, **options)


def test_tokens_of_bytes_get_the_same_mask() -> None:
    if not (QWEN / "tokenizer.json").exists():
        pytest.fail(f"the tests need {QWEN}")
    theirs, ours = AutoTokenizer.from_pretrained(QWEN), graft.Tokenizer(QWEN)
    source = (GOLDENS / "chat-templates" / "generation.jinja").read_text(encoding="utf-8")
    for content in ("Hi é中!", "🙂🙂", "", " x ", "\n", "e\u0301 한"):
        messages = [{"role": "user", "content": "Oh"}, {"role": "assistant", "content": content}] * 2
        options = {"chat_template": source, "return_assistant_tokens_mask": True, "eos_token": "🙂"}
        expected = theirs.apply_chat_template(messages, **options)
        found = ours.apply_chat_template(messages, **options)
        assert found["assistant_masks"] == expected["assistant_masks"], content
