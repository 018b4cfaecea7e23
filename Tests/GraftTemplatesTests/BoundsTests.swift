import GraftFormats
import GraftTensor
import Testing

@testable import GraftTemplates

/// Templates come from files: none takes more than its share, and none ends the process.
@Suite("Templates are bounded, and errors say where")
struct BoundsTests {
    private func refusal(_ source: String, _ variables: JSONObject = JSONObject()) -> GraftError? {
        do throws(GraftError) {
            _ = try Template(Array(source.utf8), source: "chat_template.jinja")
                .render(variables, mostWork: 1 << 23)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "What would take for ever, or all memory, is refused",
        arguments: [
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
            "{{ 'a' * 100000000 }}",
            "{{ 'a' * 9223372036854775807 }}{{ [1] * 9223372036854775807 }}",
            "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
            "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
            "{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}",
            "{% set ns = namespace(x='a') %}{% for i in range(99) %}{% set ns.x = ns.x|replace('a', 'aa') %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x|join(ns.x) %}{% endfor %}",
            "{{ 'a'.center(1000000000) }}", "{{ '%1000000000d' % 1 }}", "{{ 'a\\nb'|indent(1000000000) }}",
            "{{ range(1000000) }}", "{{ range(-9223372036854775807, 9223372036854775807) }}",
            "{{ 9223372036854775807 + 1 }}", "{{ 2 ** 64 }}", "{{ -9223372036854775807 - 2 }}",
            "{{ 99999999999999999999 }}", "{{ 1e300 ** 9 }}", "{{ 'x'|round(400) }}", "{{ 1.5|round(9999999) }}",
            "{{ [1]|batch(9223372036854775807, 0)|list }}", "{{ [1]|slice(9223372036854775807)|list }}",
        ])
    func bounds(_ source: String) {
        #expect(refusal(source) != nil)
    }

    @Test("What is nested too deep is refused, whatever it is")
    func nesting() {
        for (opening, closing) in [
            ("(", ")"), ("[", "]"), ("{1:", "}"), ("not ", ""), ("-", ""), ("1 + (", ")"), ("a[", "]"), ("a(", ")"),
            ("1 if ", " else 2"), ("a|b(", ")"),
        ] {
            let source =
                "{{ " + String(repeating: opening, count: 5000) + "1" + String(repeating: closing, count: 5000) + " }}"
            #expect(refusal(source)?.code == .unsupported, "\(opening)")
        }
        for (opening, closing) in [
            ("{% if 1 %}", "{% endif %}"), ("{% for a in b %}", "{% endfor %}"), ("{% set a %}", "{% endset %}"),
        ] {
            let source = String(repeating: opening, count: 5000) + String(repeating: closing, count: 5000)
            #expect(refusal(source)?.code == .unsupported, "\(opening)")
        }
        for link in [".b", "[0]", "|upper", "()", " is defined", "|default(1)"] {
            #expect(refusal("{{ a" + String(repeating: link, count: 5000) + " }}") != nil, "\(link)")
        }
        let sum = "{{ 1" + String(repeating: " + 1", count: 5000) + " }}"
        #expect(refusal(sum) == nil)
        var deep = JSON.null
        for _ in 0..<100 { deep = .array([deep]) }
        var variables = JSONObject()
        variables["x"] = deep
        #expect(refusal("{{ x|tojson }}", variables)?.code == .unsupported)
    }

    @Test("What refers to itself is taken apart")
    func cycles() {
        #expect(refusal("{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me is defined }}") == nil)
        let chain =
            "{% set top = namespace(tail=namespace()) %}{% for i in range(5000) %}{% set last = top.tail %}"
            + "{% set new = namespace() %}{% set last.next = new %}{% set top.tail = new %}{% endfor %}"
        #expect(refusal(chain) == nil)
        #expect(refusal("{% for i in [1] %}{% macro m() %}{{ m.name }}{% endmacro %}{{ m() }}{% endfor %}") == nil)
        #expect(refusal("{% for i in [1] %}{{ loop.changed(loop) }}{% endfor %}") == nil)
    }

    @Test(
        "Errors name the template, the line, and what it is",
        arguments: [
            ("\n{{ missing.x }}", GraftError.Code.invalidArgument, "line 2", "\"missing\" is undefined"),
            ("\n\n{{ raise_exception('No!') }}", .invalidArgument, "line 3", "No!"),
            ("\n{% include 'x' %}", .unsupported, "line 2", "{% include %}"),
            ("{{ 1|nope }}", .unsupported, "line 1", "\"nope\""),
            ("{{ 1 is nope }}", .unsupported, "line 1", "\"nope\""),
            ("a\n{% if x %}", .corruptFile, "line 2", "elif or else or endif"),
            ("{{ 1 + }}", .corruptFile, "line 1", "expected an expression"),
            ("{% unknown %}", .unsupported, "line 1", "{% unknown %}"),
            ("{{ [].append(1) }}", .invalidArgument, "line 1", "append"),
            ("{{ 'a'.translate() }}", .unsupported, "line 1", "translate"),
        ])
    func messages(_ source: String, _ code: GraftError.Code, _ line: String, _ words: String) throws {
        let error = try #require(refusal(source))
        #expect(error.code == code)
        for expected in ["chat_template.jinja", line, words] {
            #expect(error.message.contains(expected), "\(error.message)")
        }
    }
}
