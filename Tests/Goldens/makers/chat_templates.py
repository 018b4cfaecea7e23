"""chat-templates: what jinja2, as transformers sets it up, makes of templates.

The templates beside the results are written by hand, in the constructs of the families whose names
they have. `families.json` holds conversations and, for each template, the texts or that there is an
error; `programs.json` small templates that are listed and random ones.
"""

import copy
import datetime
import warnings

from transformers.utils import chat_template_utils as utils

from .files import ROOT, write_json
from .listed_templates import VARIABLES, listed
from .random_templates import Generator

FOLDER = ROOT / "chat-templates"
#: Noon of 15 November 2023 in UTC: the same day wherever the tests run.
NOW = 1_700_049_600
#: Programs that render.
LEAST_COUNT = 700


class FixedTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where, as\na name"},
        "unit": {"type": "string", "enum": ["°C", "°F"], "default": "°C"},
        "days": {"type": "array", "items": {"type": "integer"}},
        "more": {"type": "object", "properties": {"x": {"type": ["string", "null"]}}, "required": ["x"]},
    },
    "required": ["city"],
}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "The \"weather\" <now> & then", "parameters": PARAMETERS}},
    {"type": "function", "function": {"name": "tiempo", "description": "¿Qué hora es? 🕐", "parameters": {"type": "object", "properties": {}},
                                      "return": {"type": "number", "maximum": 1e3}}},
]  # fmt: skip
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "weather", "arguments": {"city": "Zürich", "days": [1, 2]}}}

SYSTEM = {"role": "system", "content": "  Be brief.\n"}
USER = {"role": "user", "content": " Hello, \"world\" <|im_end|> 🙂\n"}
ANSWER = {"role": "assistant", "content": "\nHi é中!\n"}
CONVERSATIONS = {
    "user": {"messages": [USER], "add_generation_prompt": True},
    "plain user": {"messages": [USER]},
    "system": {"messages": [SYSTEM, USER], "add_generation_prompt": True},
    "turns": {"messages": [SYSTEM, USER, ANSWER, {"role": "user", "content": ""}, {"role": "assistant", "content": "x"}]},
    "no system": {"messages": [USER, ANSWER, USER], "add_generation_prompt": True},
    "out of turn": {"messages": [USER, USER, ANSWER]},
    "tools": {"messages": [SYSTEM, USER], "tools": TOOLS, "add_generation_prompt": True},
    "calls": {
        "messages": [
            USER,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": "7 °C", "tool_call_id": "abcdefghi"},
            {"role": "tool", "content": "8 °C", "tool_call_id": "abcdefghi"},
            ANSWER,
        ],
        "tools": TOOLS,
        "tools_in_user_message": False,
    },
    "several calls": {
        "messages": [SYSTEM, USER, {"role": "assistant", "content": "So:", "tool_calls": [CALL, CALL]}],
        "builtin_tools": ["weather", "code_interpreter"],
    },
    "thoughts": {
        "messages": [
            USER,
            {"role": "assistant", "content": "<think>\nwell\n</think>\n\nFirst"},
            USER,
            {"role": "assistant", "content": "<think>\nhm\n</think>\n\nSecond", "reasoning_content": "hm"},
        ],
        "enable_thinking": False,
        "add_generation_prompt": True,
    },
    "mode": {"messages": [{"role": "system", "content": "Short. /no_think "}, USER], "date_string": "1 Jan 2025"},
    "parts": {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": " Look "}, {"type": "image"}, {"type": "text", "text": "here"}]},
            ANSWER,
            ANSWER,
        ]
    },
    "documents": {
        "messages": [USER],
        "documents": [{"title": " One ", "text": "a\nb"}, {"title": "Two", "tags": ["x", "y"], "text": "ü"}],
        "add_generation_prompt": True,
    },
    "special characters": {
        "messages": [{"role": "user", "content": "\u2028\u00a0{{ 7 }}{% if %}\t\\n\\ ' \" \x00 \x7f \ufeff \U0001f468\u200d\U0001f469 e\u0301"}],
        "tools": [{"type": "function", "function": {"name": "n", "description": "\u2028 \x00 \\ / é", "parameters": {"type": "object", "properties": {"a": {"type": "number", "default": 1.0}, "b": {"type": "integer", "default": 100000000000000000000}}}}}],
    },
}  # fmt: skip
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def rendered(source: str, variables: dict) -> dict:
    """The text and the places of `generation` blocks, in bytes; or that there is an error."""
    try:
        template = utils._cached_compile_jinja_template(source)
        # A filter of jinja2 (indent) adds to a list that it is given.
        variables = copy.deepcopy(variables)
        messages = {"messages": None, "tools": None, "documents": None, "add_generation_prompt": False, **variables}
        text, places = utils._render_with_assistant_indices(template, **messages)
        text.encode()
        if any(word in text.lower() for word in (" at 0x", "<function", "<class", "<built-in")):
            raise ValueError("words of Python's own are no text of a template")
    except Exception:  # noqa: BLE001
        return {"error": True}
    result = {"text": text}
    if places:
        result["generations"] = [[len(text[:place].encode()) for place in pair] for pair in places]
    return result


def make() -> None:
    warnings.filterwarnings("ignore")
    utils.datetime = FixedTime
    cases = []
    for path in sorted(FOLDER.glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        for name, variables in CONVERSATIONS.items():
            given = {"tools": None, "documents": None, "add_generation_prompt": False, **TOKENS, **variables}
            cases.append({"template": path.name, "conversation": name, **rendered(source, given)})
    conversations = {
        name: {"tools": None, "documents": None, "add_generation_prompt": False, **TOKENS, **variables}
        for name, variables in CONVERSATIONS.items()
    }
    write_json(FOLDER / "families.json", {"now": NOW, "conversations": conversations, "cases": cases})
    generator = Generator(seed=10)
    cases = [{"template": program, **rendered(program, VARIABLES)} for program in listed()]
    while sum("error" not in case for case in cases) < LEAST_COUNT:
        program = generator.template()
        case = {"template": program, **rendered(program, VARIABLES)}
        if len(program) < 600 and len(case.get("text", "")) < 600:
            cases.append(case)
    write_json(FOLDER / "programs.json", {"now": NOW, "variables": VARIABLES, "cases": cases})
