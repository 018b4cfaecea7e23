"""Expressions that are compared with the tokenizers package: by Tests/Parity, and by the goldens
that `make test` reads.
"""

#: What the package says of each class of every character.
CLASSES = [
    r"\w", r"\W", r"\s", r"\S", r"\d", r"\D", r"\h", r"\H", r"\N", r"\O", ".", r"(?m:.)", r"\R", r"[\w]", r"[^\W]", r"[\W\d]",
    *(f"[[:{name}:]]" for name in
      "alnum alpha blank cntrl digit graph lower print punct space upper xdigit word ascii".split()),
    *(f"[[:^{name}:]]" for name in ("alnum", "punct", "word")),
    *(rf"\p{{{name}}}" for name in
      "L M N P S Z C Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn Han Hiragana "
      "Katakana Hangul Latin Greek Cyrillic Arabic Thai Devanagari Common Inherited Emoji Emoji_Presentation "
      "Extended_Pictographic Alphabetic Uppercase Lowercase White_Space Ideographic Punct Alnum Word In_Basic_Latin "
      "InBasicLatin in_cjk_unified_ideographs ID_Start XID_Continue Any Assigned".split()),
    r"\P{L}", r"\p{^L}", r"\P{^Han}", r"[\p{L}&&[^\p{Han}]]", r"[^\p{L}\p{N}\s]", r"[a-z&&[^aeiou]]",
    r"(?i:k)", r"(?i:[a-z])", r"(?i:[^k])", r"(?i:[^\p{Lu}])", r"(?i:[α-ω&&[^ς]])", r"(?i:\p{Lu})", r"(?i:\x{1c4})",
    r"(?<=\w)\W", r"\b.", r"\B.", r"\b\p{M}", r"(?<![[:punct:]])[[:punct:]]",
]  # fmt: skip

#: What tokenizers in use split by, and constructions in which engines differ.
PATTERNS = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[一-龥぀-ゟ゠-ヿ]+", r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+",
    r" ?[\p{P}\p{S}]+[\r\n]*", r"\w+|[^\w\s]+", r"\b\w+\b", r"\B\w", r"^.", r".$", r"^", r"$", r"\A.", r".\z", r".\Z", r"a*", r"a*?b",
    r"(?<=a)b", r"(?<!a)b", r"(?<=a|bc)d", r"(?>a+)b", r"a++b", r"a?+a", r"a{2}?", r"a{,2}", r"a{1,3}+", r"a{2,}?", r"a{1,2}{2}", r"a**",
    r"x(?i)a|b", r"(?i)k|ſ", r"(?m).+", r"(?x) a b # c", r"(?#note)a", r"(?<name>a)b", r"(?'name'a)b", r"(a|b)+c", r"a{", r"a{x", r"a{,}", r"]a",
    r"[]a]+", r"[^]a]+", r"[a-c-e]+", r"[a-]+", r"[-a]+", r"[a&b]+", r"[[a]b]+", r"[^[^a]]+", r"[a-z&&[^b]&&[^c]x]+", r"[^a&&b]+", r"[a&&]",
    r"\x41|\x{62}|\u0063|\x{1F600}", r"\v+", r"\e|\a|\f|\0", r"\Qa\E", r"[\b\t]", r"[\x{61}-\x{7a}]+", r"\-|\!|\é", r"(a|b)?+c", r"a||b", r"(?:|a)b",
    r"\R", r"\R+x", r"(?i-m:A.)", r"(?=a)a|b(?!c)", r"((a)(?:b(?=c)))+",
]  # fmt: skip

#: Each is refused by a message that names it.
REFUSED = {
    r"(a)\1": "back reference", r"(?<n>a)\k<n>": "back reference", r"(?<n>a)\g<n>": "call", r"(?~b)": "absent", r"(?(1)a)": "conditional",
    r"\X": "text segment", r"\y": "text segment", r"a\Kb": r"\K", r"\Ga": r"\G", r"(*FAIL)": "callout", r"(?{x})": "callout",
    r"(?i:ss)": "regardless of case", r"(?i:s(?:s))": "regardless of case", r"(?i:ß)": "regardless of case",
    r"(?i:[ß])": "regardless of case", r"(?i:[\p{L}])": "regardless of case", r"(?i:st)": "regardless of case",
    r"(?W:\w)": "(?W", r"(?y{w}a)": "(?y", r"(?<=a+)b": "lookbehind", r"\pL": r"\p", r"\p{Foo}": "Foo", r"\xE9": "byte", r"\cA": r"\c",
    r"\x{41 42}": "hexadecimal", r"a{3,1}": "{3,1}",
    # The package refuses these, too.
    r"(?s).": "(?s", r"[\w-_]": "range", r"[a-\d]": "range", r"[]": "empty", r"*a": "repetition", r"(?=a)*": "repetition", r"[b-a]": "range",
    r"a)": "parenthesis", r"(a": "group", r"[[:foo:]]": "[:foo:]", "a\\": "backslash", r"[a": "bracket",
}  # fmt: skip

TEXTS = [
    "Hello, world!  It's 2024 -- we'LL see\n\n\tnaïve café\r\nx=[1,2,3]; foo_bar's 12345", "你好，世界。カー・タ ひらがな 한국어 ไทย",
    "aab abc bcd ad aaa aaaa a{,} a{x ]a b-e", "Ab aB K\u212a kſS ß ss ẞ ﬆ İi", "e\u0301a\u0308 \u00b2\u00b3\u00bd x\u00b2 1\u20e3 👩\u200d🚀 a+b～",
    "\x0b\x0c\x85\u2028\u2029\r\n\r\n \u3000\u00a0 . ", "", " ", "\n", "abcabc AbC cc\ndd\n", "\U00011f50\U0001e4d0\u0897\U00010d40 Ꟍꟛ ＋",
]  # fmt: skip
