"""Random templates of what chat templates are made of, from a seed."""

import random

from .listed_templates import VARIABLES


class Generator:
    """Random templates of what chat templates are made of."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def literal(self) -> str:
        return self.pick(
            "0", "1", "2", "-1", "3.5", "true", "false", "none", "'a'", "'Ab c'", "''", "'x,y'", "'\\n'", "\"it's\"",
            "'ÉΣ中'", "[]", "[1, 'a']", "{'k': 1}", "(1, 2)",
        )  # fmt: skip

    def name(self) -> str:
        # Integers beyond 64 bits are written, and not reckoned with.
        return self.random.choice([*(name for name in VARIABLES if name != "big"), "missing", "x", "y", "z"])

    def text(self, depth: int) -> str:
        return self.pick(
            lambda: self.pick("name", "empty", "spaced", "lines", "accents", "quoted"),
            lambda: f"({self.expression(depth - 1)})|string",
            lambda: f"({self.text(depth - 1)}).{self.method()}" if depth > 0 else "'q'",
            lambda: f"{self.text(depth - 1)}|{self.text_filter()}" if depth > 0 else "'w'",
        )()

    def method(self) -> str:
        return self.pick(
            "upper()", "lower()", "title()", "capitalize()", "strip()", "lstrip()", "rstrip()", "strip('a ')", "split()",
            "split('a')", "split('a', 1)", "rsplit('a', 1)", "splitlines()", "startswith('A')", "endswith('a')",
            "replace('a', 'oo')", "replace('a', 'b', 1)", "find('a')", "rfind('a')", "count('a')", "partition('a')",
            "rpartition(' ')", "isdigit()", "isalpha()", "isupper()", "islower()", "isspace()", "swapcase()", "zfill(7)",
            "center(9)", "ljust(8, '.')", "removeprefix('A')", "removesuffix('a')", "join(['1', '2'])",
        )  # fmt: skip

    def text_filter(self) -> str:
        return self.pick(
            "upper", "lower", "title", "capitalize", "trim", "length", "reverse", "tojson", "replace('a', 'b')", "list",
            "indent", "indent(2, true)", "first", "last", "default('d')", "default('d', true)", "string", "int",
            "float", "truncate(6)", "join('-')", "trim('a')", "center(12)",
        )  # fmt: skip

    def list_filter(self) -> str:
        return self.pick(
            "list", "first", "last", "length", "join(',')", "sort", "sort(reverse=true)", "unique|list", "reverse|list",
            "map('string')|list", "map('upper')|join('+')", "select|list", "reject|list", "min", "max", "sum", "tojson",
            "tojson(indent=1)", "string", "batch(2)|list", "slice(2)|list", "select('string')|list",
            "reject('none')|list", "map(attribute='name')|list", "selectattr('name')|list", "map('length')|list",
            "select('defined')|map('string')|sort|join", "default('e', true)",
        )  # fmt: skip

    def test(self) -> str:
        return self.pick(
            "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence",
            "iterable", "true", "false", "callable", "in [1, 'a']", "eq 1", "equalto('a')", "ne 2", "odd", "even",
            "lower", "upper", "divisibleby 2", "sameas none",
        )  # fmt: skip

    def subscript(self) -> str:
        return self.pick(
            "[0]", "[-1]", "[1:]", "[:-1]", "[::-1]", "[::2]", "[1:3]", "[-2:]", "['name']", ".name", ".age", "[5]",
            ".items()", ".keys()|list", ".get('age')", ".get('q', 1)", "[:2]", "[2::-1]",
        )  # fmt: skip

    def expression(self, depth: int) -> str:
        if depth <= 0:
            return self.pick(self.literal, self.name)()
        inner = lambda: self.expression(depth - 1)  # noqa: E731
        return self.pick(
            lambda: self.name(),
            lambda: self.literal(),
            lambda: self.text(depth),
            lambda: f"{self.pick('numbers', 'words', 'mixed', 'people', 'person', 'pairs')}|{self.list_filter()}",
            lambda: f"{self.text(depth)}|{self.text_filter()}",
            lambda: f"({inner()})|{self.pick(self.list_filter, self.text_filter)()}",
            # jinja2 folds what is constant by other rules than it renders what is not.
            lambda: f"(({inner()}), name)[0]{self.subscript()}",
            lambda: f"{self.name()}{self.subscript()}",
            lambda: f"({inner()}) ~ ({inner()})",
            lambda: f"({inner()}) {self.pick('==', '!=')} ({inner()})",
            lambda: f"({inner()}) {self.pick('in', 'not in')} {self.pick('numbers', 'words', 'mixed', 'people', 'pairs')}",
            lambda: f"{self.number()} {self.pick('+', '-', '*', '/', '//', '%', '<', '<=', '>', '>=', '==')} {self.number()}",
            lambda: self.wild(inner(), inner()),
            lambda: f"({inner()}) {self.pick('and', 'or')} {self.pick('', 'not ')}({inner()})",
            lambda: f"({inner()}) is {self.pick('', 'not ')}{self.test()}",
            lambda: f"{inner()} if {inner()} else {inner()}",
            lambda: f"[{inner()}, {inner()}]",
            lambda: f"{{'a': {inner()}, 'b': {inner()}}}",
            lambda: f"range({self.random.randrange(5)})|list",
        )()

    def number(self) -> str:
        return self.pick("zero", "seven", "minus", "half", "yes", "2", "3.5", "-4", "(name|length)", "(numbers|sum)", "1")

    def wild(self, left: str, right: str) -> str:
        """What often is an error."""
        operator = self.pick("+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "in", "not in", "+", "+")
        return f"({left}) {operator} ({right})" if self.random.random() < 0.3 else f"[{left}, {right}]"

    def space(self) -> str:
        return self.pick("", "", " ", "\n", "  \n  ", "\n\n", "text ", " a\n  b ")

    def tag(self, content: str) -> str:
        return "{%" + self.pick("", "", "-", "+") + " " + content + " " + self.pick("", "", "-", "+") + "%}"

    def output(self) -> str:
        return "{{" + self.pick("", "-") + " " + self.expression(2) + " " + self.pick("", "-") + "}}"

    def block(self, depth: int) -> str:
        body = lambda: self.template(depth - 1)  # noqa: E731
        return self.pick(
            lambda: self.output(),
            lambda: self.tag(f"set {self.pick('x', 'y', 'z')} = {self.expression(2)}"),
            lambda: self.tag(f"if {self.expression(1)}") + body() + self.tag("else") + body() + self.tag("endif"),
            lambda: self.tag(f"if {self.expression(1)}") + body() + self.tag(f"elif {self.expression(1)}") + body()
            + self.tag("endif"),
            lambda: self.tag(f"for {self.pick('x', 'y')} in {self.pick('numbers', 'words', 'people', 'person', 'name')}")
            + body() + "{{ loop.index }}{{ loop.last }}" + self.tag("endfor"),
            lambda: self.tag(f"for x in {self.pick('numbers', 'words', 'mixed', 'missing', '[]', self.expression(1))} if x") + body() + self.tag("else") + body() + self.tag("endfor"),
            lambda: self.tag("set x") + body() + self.tag("endset"),
            lambda: self.tag("macro m(x, y=1)") + body() + self.tag("endmacro") + "{{ m(2) }}{{ m(y=3, x=name) }}",
            lambda: self.tag("generation") + body() + self.tag("endgeneration"),
            lambda: "{#" + self.pick("", "-") + " note " + self.pick("", "-") + "#}",
            lambda: self.tag("filter upper") + body() + self.tag("endfilter"),
            lambda: self.tag("set ns = namespace(n=1)") + self.tag("set ns.n = ns.n + 1") + "{{ ns.n }}",
        )()  # fmt: skip

    def template(self, depth: int = 2) -> str:
        if depth < 0:
            return self.space() + self.pick("", self.output())
        return "".join(self.space() + self.block(depth) for _ in range(self.random.randint(1, 3))) + self.space()
