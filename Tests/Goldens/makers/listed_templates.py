"""Small templates that are listed, with the variables that they and the random ones see."""

VARIABLES = {
    "name": "Ada",
    "empty": "",
    "spaced": "  two\twords \n",
    "lines": "one\n\ntwo\r\nthree\x0bfour\u2028five",
    "accents": "Éa ßtraße ΑΣ ǅ ﬁ naïve 中文 🙂",
    "quoted": "it's \"so\" \\ & <b>",
    "zero": 0,
    "seven": 7,
    "minus": -3,
    "half": 0.5,
    "big": 12345678901234567890,
    "tiny": 1e-07,
    "large": 1e20,
    "yes": True,
    "no": False,
    "nothing": None,
    "numbers": [3, 1, 2, 1],
    "words": ["pear", "Apple", "fig", "apple"],
    "mixed": [1, "1", None, True, 1.0, [2], {"k": "v"}],
    "pairs": [["a", 1], ["b", 2]],
    "person": {"name": "Bo", "age": 30, "tags": ["x", "y"], "items": "mine", "inner": {"deep": [1, {"er": "z"}]}},
    "people": [
        {"name": "Cy", "age": 2, "role": "user"},
        {"name": "al", "age": 10, "role": "tool", "team": {"city": "Oslo"}},
        {"name": "Bo", "age": 2, "role": "user", "note": None},
    ],
}

#: What a whole template is to be, or within `{{ … }}` for an expression.
EXPRESSIONS = r"""
name ~ 1 ~ nothing ~ yes ~ half ~ missing
name + ' x'
1 + 2 * 3 - 4
7 // 2 ~ ' ' ~ -7 // 2 ~ ' ' ~ 7 % -3 ~ ' ' ~ -7 % 3 ~ ' ' ~ 7 / 2
7.5 // 2 ~ ' ' ~ -7.5 % 2 ~ ' ' ~ 7.5 % -2
2 ** 3 ** 2
2 ** -1
-2 ** 2
- 3 | abs
-3|string ~ 'x'
1.0 ~ ' ' ~ 1e3 ~ ' ' ~ 1.5e-7 ~ ' ' ~ 12_000 ~ ' ' ~ 0x1F ~ ' ' ~ 0b101 ~ ' ' ~ 0o17
big ~ ' ' ~ tiny ~ ' ' ~ large
'a' * 3 ~ 2 * 'b' ~ [1] * 2 ~ 'c' * -1
[1, 2] + [3]
(1, 2) + (3,)
() ~ (1,) ~ (1, 2)
{'a': 1, 'b': [1, 'x']}
{1: 2, 1.0: 3, True: 4, 'k': none}
"it's" ~ ['it\'s', "say \"x\"", 'both \' and "']
['\n\t\\\x00\x7f\u00e9\u200b\U0001F600']
'adjacent' ' strings' "\u4e2d\101\x41\q"
name == 'Ada' and seven != 8
1 < 2 < 3
1 < 2 > 5
1 == 1.0 == true
'a' < 'b' and [1, 2] < [1, 3]
1 <= seven <= 7
'd' in name ~ ' ' ~ ('z' in name)
2 in numbers ~ ' ' ~ (9 not in numbers)
'age' in person
not yes or no
empty or nothing or 'last'
name and seven
none == missing2
missing == missing2
yes is true
'x' if yes else 'y'
'x' if no
('x' if no) is defined
'x' if no else 'y' if no else 'z'
name[0] ~ name[-1] ~ name[10]
accents[1] ~ accents[3:6] ~ accents[::-1] ~ accents[-3:]
name[::2] ~ name[:-1] ~ name[5:] ~ name[2:1] ~ name[::-2]
numbers[1:] ~ numbers[::-1] ~ numbers[-2:] ~ numbers[:1] ~ numbers[5:9] ~ numbers[3:0:-2]
numbers[-1] ~ numbers[9] ~ numbers['x']
numbers.0 ~ people.1.name
(1, 2, 3)[1:]
person.name ~ person['age'] ~ person.inner.deep[1].er
person.items is callable
person['items']
person.missing
person.missing.more
missing.attribute
missing[0]
person.get('age') ~ person.get('x') ~ person.get('x', 'd')
person.keys()|list
person.values()|list
person.items()|list
person.keys()
person.items()
person.keys()[0]
{'a': 1}.items()
numbers.count(1) ~ numbers.index(2)
numbers.append(1)
person.update({'a': 1})
numbers.append is defined
name.upper() ~ name.lower() ~ 'hello world'.title() ~ 'hELLO'.capitalize() ~ 'aB'.swapcase()
accents.upper()
accents.lower()
accents.title()
accents.capitalize()
accents|upper
accents|title
accents|capitalize
"they're bill's (friends) from-the {us}"|title
"they're bill's friends".title()
spaced.strip() ~ '|' ~ spaced.lstrip() ~ '|' ~ spaced.rstrip() ~ '|'
'xxaxx'.strip('x') ~ 'xyaxy'.lstrip('xy') ~ 'axy'.rstrip('y') ~ 'a'.strip(none)
'a,b,,c'.split(',')
'a,b,,c'.split(',', 1)
'a,b,,c'.rsplit(',', 1)
'a--b'.split('--')[-1]
spaced.split()
'  a  b  c '.split(none, 1)
'  a  b  c '.rsplit(none, 1)
''.split() ~ ''.split(',')
lines.splitlines()
lines.splitlines(true)
'abc'.startswith('a') ~ 'abc'.startswith(('x', 'ab')) ~ 'abc'.startswith('b', 1) ~ 'abc'.endswith('bc') ~ 'abc'.endswith('b', 0, 2)
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('x')
'abc'.rpartition('x')
'aXbX'.replace('X', 'yy') ~ 'aXbX'.replace('X', '', 1) ~ 'abc'.replace('', '.') ~ 'aaa'.replace('aa', 'b')
'banana'.find('an') ~ 'banana'.rfind('an') ~ 'banana'.find('x') ~ 'banana'.find('an', 2) ~ 'banana'.count('an') ~ accents.find('中')
'banana'.index('n') ~ 'banana'.rindex('n')
'banana'.index('z')
'-'.join(['a', 'b']) ~ ', '.join(words)
'-'.join([1])
'7'.zfill(3) ~ '-7'.zfill(4) ~ 'a'.ljust(3) ~ '|' ~ 'a'.rjust(3) ~ '|' ~ 'ab'.center(5, '*') ~ 'abc'.center(6)
'12'.isdigit() ~ 'a1'.isalnum() ~ 'ab'.isalpha() ~ ' '.isspace() ~ 'A'.isupper() ~ 'a1'.islower() ~ '½'.isnumeric() ~ '²'.isdigit() ~ '²'.isdecimal()
''.isdigit() ~ 'Ab Cd'.istitle() ~ 'é'.isascii() ~ '中'.isalpha()
'prefix-x'.removeprefix('prefix-') ~ 'x.txt'.removesuffix('.txt')
'{} and {}'.format(1, 'b') ~ '{1}{0}'.format('a', 'b') ~ '{x}{{}}'.format(x=3)
'%s is %d, %05.2f %x %r %%' % ('a', 42, 3.14159, 255, 'q')
'%s' % name
'%-5s|%5s|%+d|% d' % ('a', 'b', 3, 4)
'%(a)s' % {'a': 1}
'%s-%s'|format('a', 2)
'%d' % 'x'
name|length ~ accents|length ~ numbers|count ~ person|length ~ missing|length
seven|length
numbers|first ~ numbers|last ~ name|first ~ accents|last ~ person|first
[]|first is defined
words|sort
words|sort(case_sensitive=true)
words|sort(reverse=true)
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|list
people|sort(attribute='age', reverse=true)|map(attribute='name')|join(',')
mixed|sort
words|unique|list
words|unique(case_sensitive=true)|list
numbers|unique|list
numbers|min ~ numbers|max ~ words|min ~ words|max ~ people|max(attribute='age')
numbers|sum ~ people|sum(attribute='age') ~ [1.5, 2]|sum ~ [[1], [2]]|sum(start=[])
numbers|reverse|list
name|reverse
person|reverse|list
numbers|join ~ numbers|join(', ') ~ people|join('-', attribute='name') ~ name|join('.')
mixed|join(' ')
name|list
person|list
range(3)|list ~ range(1, 4)|list ~ range(5, 0, -2)|list ~ range(3)
range(200000)
numbers|batch(3)|list ~ numbers|batch(3, 0)|list
numbers|slice(3)|list ~ numbers|slice(3, 'x')|list
people|map(attribute='team.city')|list
people|map(attribute='team.city', default='none')|list
people|map(attribute='note', default='none')|list
words|map('upper')|list
words|map('replace', 'p', 'b')|join
numbers|map('string')|list
people|selectattr('role', 'equalto', 'user')|map(attribute='name')|list
people|selectattr('team')|list|length
people|selectattr('team', 'defined')|list|length
people|rejectattr('role', 'in', ['tool'])|map(attribute='name')|join(' ')
people|selectattr('age', '>', 5)|first
numbers|select('odd')|list ~ numbers|reject('equalto', 1)|list ~ numbers|select|list
[0, 1, '', 'a', none]|select|list
person|dictsort
{'b': 1, 'A': 2, 'c': 0}|dictsort
{'b': 1, 'A': 2, 'c': 0}|dictsort(true)
{'b': 1, 'A': 2, 'c': 0}|dictsort(by='value', reverse=true)
person|items|list
missing|items|list
seven|items
missing|default('d') ~ empty|default('d') ~ empty|default('d', true) ~ nothing|default('d') ~ missing|d
'42'|int ~ '4.7'|int ~ 'x'|int ~ 'x'|int(5) ~ '0x1A'|int(0, 16) ~ ' 7 '|int ~ '1_000'|int ~ none|int(3) ~ 3.9|int ~ -3.9|int ~ true|int
'1.5'|float ~ 'x'|float ~ 'x'|float(2.5) ~ 3|float ~ 'inf'|float ~ 'nan'|float ~ '.5'|float ~ '5.'|float ~ '1e3'|float
42.55|round ~ ' ' ~ 42.55|round(1) ~ ' ' ~ 42.55|round(1, 'floor') ~ ' ' ~ 42.51|round(method='ceil') ~ ' ' ~ 2.5|round ~ ' ' ~ 3.5|round ~ ' ' ~ 7|round ~ ' ' ~ 2.675|round(2)
42.55|round|int
-3|abs ~ -2.5|abs
quoted|e
quoted|escape|length
name|safe
'<a>'|string
42|string ~ none|string ~ 1.50|string
42|upper
none|lower
missing|upper
'  x '|trim ~ '|' ~ 'xxaxx'|trim('x')
'a\n\nb\nc'|indent
'a\n\nb\nc'|indent(2, true) ~ 'a\n\nb'|indent(2, blank=true) ~ 'a\nb'|indent('> ')
'hello world foo'|truncate(11) ~ 'hello world foo'|truncate(8) ~ 'hello world foo bar'|truncate(8, true) ~ 'hello world'|truncate(5, false, '!', 0)
'aXbX'|replace('X', 'y') ~ 'aXbX'|replace('X', 'y', 1) ~ 121|replace(1, 3)
name|center(9) ~ '|'
numbers|tojson ~ person|tojson ~ mixed|tojson
person|tojson(indent=2)
[]|tojson(indent=2) ~ {}|tojson(indent=2) ~ [[]]|tojson(indent=1)
person|tojson(indent='\t')
{'b': 1, 'a': [1, 2]}|tojson(sort_keys=true, separators=(',', ':'))
accents|tojson ~ accents|tojson(ensure_ascii=true)
quoted|tojson ~ lines|tojson ~ '\x00\x1f\x7f'|tojson
half|tojson ~ big|tojson ~ tiny|tojson ~ nothing|tojson ~ yes|tojson
{1: 'a', none: 'b', true: 'c', 1.5: 'd'}|tojson
(1, 2)|tojson
missing|tojson
range(3)|tojson
namespace(a=1).a
namespace({'a': 1}, b=2).b
namespace(a=1).b is defined
namespace(_x=1)
dict(a=1, b=2) ~ dict([('x', 1)]) ~ dict(person, name='new').name
seven is odd ~ seven is even ~ seven is divisibleby(7) ~ seven is divisibleby 2
seven is defined ~ missing is defined ~ missing is undefined ~ nothing is none ~ nothing is defined
seven is number ~ yes is number ~ half is float ~ seven is integer ~ yes is integer ~ yes is boolean ~ '1' is number
name is string ~ numbers is sequence ~ name is sequence ~ person is sequence ~ person is mapping ~ numbers is mapping ~ seven is sequence ~ missing is sequence
numbers is iterable ~ seven is iterable ~ name is iterable ~ missing is iterable ~ range is callable ~ name is callable ~ missing is callable
person.items() is sequence ~ person.items() is iterable ~ numbers|map('string') is sequence
'a' is lower ~ 'A' is upper ~ 'aB' is lower ~ 1 is lower
seven is eq 7 ~ seven is sameas 7 ~ seven is gt 5 ~ seven is lessthan 3 ~ seven is ne 7 ~ seven is in [7] ~ 'a' is in 'abc'
yes is sameas true ~ 1 is sameas true ~ none is sameas none
yes is true ~ 1 is true ~ no is false ~ 0 is false
'upper' is filter ~ 'nope' is filter ~ 'odd' is test
name is not string ~ name is not defined or yes
name is string and seven is odd
name is nonsense
name|nonsense
nonsense()
name()
person.nope()
none + 1
'a' + 1
1 + 'a'
missing + 'a'
'a' in 1
1 < 'a'
1 / 0
1 // 0
1.5 % 0
numbers|map('upper', 1)|list
[1, 2, 3,]
{'a': 1,}
(1)
(1,)
name . upper ( )
name|upper|lower|length
(name ~ 'x')|upper
name ~ 'x'|upper
1 if yes else 2|string
[1, 2, 3]|first + 1
numbers|map('int')|first
'a\
b'
"tab	inside"
'%s' % (1, 2)
name.nope is defined ~ name['upper'] is defined
name['upper']()
[name, person]|tojson
true and false or 1
true ~ True ~ none ~ None
loop is defined
raise_exception('boom')
strftime_now('%d %b %Y') ~ strftime_now('%Y-%m-%d') ~ strftime_now('%%|%B|%a')
lipsum is defined
('a', 'b') is in [('a', 'b')]
[1, 2] == (1, 2)
[1, [2]] == [1.0, [2]]
{'a': 1, 'b': 2} == {'b': 2.0, 'a': true}
range(3) == range(3)
numbers[yes]
person|length > 3 and person.age >= 30
'x' * 0 == ''
12 is divisibleby 3 and not 12 is divisibleby 5
people[0].name ~ people[0]['name'] ~ people|first|attr('name')
people|map(attribute='name')|map('lower')|sort|join(',')
(people|selectattr('note', 'none')|list)[0].name
-(-3)
+seven
not not yes
not 1 == 2
1 not in [1] or yes
""".strip("\n").split("\n")

TEMPLATES = [
    "",
    "plain",
    "trailing\n",
    "two\n\n",
    "a\r\nb\rc\n",
    "{{ 1 }}\n{{ 2 }}\n",
    "{% if yes %}\na\n{% endif %}\nb",
    "  {% if yes %}  \n  a\n  {% endif %}  \n b",
    "x {% if yes %} y {% endif %} z",
    "x {%- if yes %} y {%- endif %} z",
    "x {%- if yes -%} y {%- endif -%} z",
    "x \n {%+ if yes %} y \n {%+ endif %}\n z",
    "x \n {% if yes +%}\n y \n {% endif +%}\n z",
    "a\n  {{ 1 }}\n  {{- 2 -}}  \n b",
    "a \n\t {#- c -#} \n b",
    "a\n  {# c #}\n b",
    "a\n  {# c +#}\n b",
    "a\n  {#+ c #}\n b {# {{ no }} {% if %} #}",
    "{#c#}\n{#c#}\nx",
    "{% raw %}{{ x }}{% if %}{% endraw %}!",
    "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
    "a {%- raw -%} \n x \n {%- endraw -%} b",
    "{{ '{{' }} {{ '}}' }} {{ '%}' }}",
    "{{ {'a': {'b': 1}}['a']['b'] }}",
    "{{ {'a': 1}}}",
    "{{-1}} {{+1}} {{- 5 }}",
    "{% for i in numbers %}{{ i }},{% endfor %}",
    "{% for i in numbers %}\n  {{ i }}\n{% endfor %}\nend",
    "{% for i in numbers -%}\n  {{ i }}\n{%- endfor %}\nend",
    "{% for i in numbers if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in numbers if i > 9 %}x{% else %}none{% endfor %}",
    "{% for i in missing %}x{% else %}none{% endfor %}",
    "{% for i in nothing %}x{% endfor %}",
    "{% for i in seven %}x{% endfor %}",
    "{% for c in name %}{{ c }}-{% endfor %}",
    "{% for k in person %}{{ k }} {% endfor %}",
    "{% for k, v in person.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in person|dictsort %}{{ k }};{% endfor %}",
    "{% for a, b in pairs %}{{ a }}{{ b }}{% endfor %}{% for (a, b) in pairs %}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in numbers %}{% endfor %}",
    "{% for i in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}"
    "{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for i in numbers %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('a', 'b') }}"
    "{{ loop.changed(i) }} {% endfor %}",
    "{% for i in numbers %}{% for j in words %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "{% for i in numbers %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in numbers %}{% if loop.index == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}!",
    "{% for i in numbers %}{% if i == 2 %}{% break %}{% endif %}{% else %}none{% endfor %}",
    "{% break %}",
    "{% set x = 1 %}{% for i in numbers %}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% for i in numbers %}{% if loop.first %}{% set y = 5 %}{% endif %}{{ y }}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for i in numbers %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
    "{% set ns = namespace() %}{% set ns.a, b = 1, 2 %}{{ ns.a }}{{ b }}",
    "{% set person.x = 1 %}",
    "{% set ns = namespace() %}{% set ns._a = 1 %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set (d, e) = [3, 4] %}{{ d }}{{ e }}",
    "{% set x %}a {{ name }}\n b{% endset %}[{{ x }}]",
    "{% set x | upper | trim %} a {{ name }} {% endset %}[{{ x }}]",
    "{% set x %}{% set inner = 1 %}{% endset %}{{ inner is defined }}",
    "{% if no %}a{% elif nothing %}b{% elif seven %}c{% else %}d{% endif %}",
    "{% if no: %}a{% else: %}b{% endif %}",
    "{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(c=5, a=0) }} {{ m() }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, z=2) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% set g = 1 %}{% macro m() %}{{ g }}{{ later }}{% endmacro %}{{ m() }}{% set g = 2 %}{% set later = 3 %}{{ m() }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %},{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(4) }}",
    "{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}body {{ name }}{% endcall %}",
    "{% macro m() %}{{ caller(1, 'b') }}{% endmacro %}{% call(x, y) m() %}{{ x }}{{ y }}{% endcall %}",
    "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{% set x = a %}{{ x }}{% endmacro %}{{ m(1) }}{{ x is defined }}{{ m.name }}",
    "{% for i in numbers %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% with a = 1, b = seven %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}",
    "{% filter upper %}a {{ name }}{% endfilter %}",
    "{% filter replace('a', 'b')|upper %}banana{% endfilter %}",
    "{% for p in people recursive %}{{ p.name }}{% if p.kids %}({{ loop(p.kids) }}){% endif %}{% endfor %}",
    "{% for n in [[1, [2, [3]]], 4] recursive %}{% if n is iterable %}[{{ loop(n) }}]{% else %}{{ n }}@{{ loop.depth }}"
    "{% endif %}{% endfor %}",
    "{% generation %}said {{ name }}{% endgeneration %}!",
    "{% for p in people %}{{ p.role }}: {% generation %}{{ p.name }}{% set gone = 1 %}{% endgeneration %}{{ gone is defined }};"
    "{% endfor %}",
    "{% print 1, 'a' %}",
    "{% set u = words|map('upper') %}{{ u|list }}{{ u|list }}",
    "{% set u = words|map('upper') %}{{ u|first }}{{ u|join(',') }}",
    "{% set u = people|selectattr('role', 'equalto', 'user') %}{% for p in u %}{{ p.name }}{% endfor %}{% if u %}y{% endif %}",
    "{{ name }}{{ missing }}{{ nothing }}{{ yes }}{{ numbers }}{{ person.tags }}",
    "{{ '' if no else name }}{{ (name if yes) ~ '!' }}",
    "{%- set ns = namespace(found=false) -%}{%- for p in people[::-1] -%}{%- if not ns.found and p.role == 'user' -%}"
    "{{- p.name -}}{%- set ns.found = true -%}{%- endif -%}{%- endfor -%}",
    "{% set people = people[1:] %}{{ people|length }}",
    "{% for message in people %}{% set role = message['role'] %}{{ role }}{% endfor %}{{ role }}",
    "{% if name is defined and name %}{{ name }}{% endif %}",
    "{%if yes%}tight{%endif%}",
    "{% if yes %}unclosed",
    "{% endif %}",
    "{% nonsense %}",
    "{{ 1 + }}",
    "{{ name",
    "{{ (1 }}",
    "{{ 'a }}",
    "{% for i numbers %}{% endfor %}",
    "{% set 1 = 2 %}",
    "{% for loop in numbers %}{% endfor %}",
    "{# unclosed",
    "{% raw %}unclosed",
    "{{ name.upper }}",
    "{% set x = [] %}{% for i in range(3) %}{% set x = x + [i] %}{{ x }}{% endfor %}{{ x }}",
    "{{ [1,2,3] | map('string') | join('+') }} = {{ [1,2,3] | sum }}",
    "{% set a = 'x' %}{% set a = a ~ a %}{% set a = a ~ a %}{{ a }}",
    "{{ {'a': 1}.a }}{{ {'get': 1}.get }}",
    "{% for i in range(3) %}{{ i }}{{ ', ' if not loop.last else '.' }}{% endfor %}",
    "{% for i in range(2) %}{% for j in range(2) %}{{ loop.last and not loop.first }}{% else %}x{% endfor %}{% endfor %}",
    "{% set x = 5 %}{% macro m(x) %}{{ x }}{% endmacro %}{{ m(6) }}{{ x }}",
    "line{{ '\n' }}break{{- '\t' }} {{ 'tab' -}}  \n  end",
    "{%- if yes %}\n\n  keep\n\n{%- endif %}\n\n\n",
    "{{ 'é' }}é\u00a0{{- ' ' -}}\u00a0{{ '中' }}",
]


def listed() -> list[str]:
    return ["{{ " + expression + " }}" for expression in EXPRESSIONS] + TEMPLATES
