import GraftFormats
import GraftTensor
import GraftTokenizers
import Testing

@testable import GraftInference

/// Which tokens lead to an end, in vocabularies that have some bytes only within longer tokens.
@Suite struct TokenPathsTests {
    private static func rules(_ kind: String, _ value: JSON) throws -> [TextPattern] {
        var settings = JSONObject()
        settings[kind] = value
        return try Grammar.rules(JSON.object(settings).serialized())
    }

    private static func allowed(_ paths: inout TokenPaths, _ state: Int32, of count: Int) throws -> [Int] {
        var mask = Array(repeating: UInt64(0), count: count / 64 + 1)
        try paths.mark(from: state, in: &mask)
        return (0..<count).filter { mask[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    /// The same by its definition: of all states that bytes reach, those from which tokens lead to
    /// an end are what a fixed point says.
    private struct Definition {
        private let tokens: [[UInt8]]
        private let usable: [Bool]
        private(set) var states: AutomatonStates
        private var ends: Set<Int32> = []

        /// nil where there are too many states to try all.
        init?(_ rules: [TextPattern], _ tokens: [[UInt8]], usable: [Bool]) throws {
            (self.tokens, self.usable) = (tokens, usable)
            states = try AutomatonStates(ByteAutomaton(rules, bytes: Array(repeating: true, count: 256)))
            var reached = [states.start]
            if states.start == AutomatonStates.none { return nil }
            var seen: Set<Int32> = [states.start]
            var index = 0
            while index < reached.count {
                if reached.count > 400 { return nil }
                for token in tokens.indices {
                    let next = try next(reached[index], token)
                    if next >= 0, seen.insert(next).inserted { reached.append(next) }
                }
                index += 1
            }
            var count = -1
            while count < ends.count {
                count = ends.count
                for state in reached {
                    let goesOn = try !allowed(state).isEmpty
                    if !goesOn, !states.accepts(state) { continue }
                    ends.insert(state)
                }
            }
        }

        var canEnd: Bool { ends.contains(states.start) }

        mutating func next(_ state: Int32, _ token: Int) throws -> Int32 {
            var state = state
            for byte in tokens[token] where state >= 0 { state = try states.next(state, byte) }
            return state
        }

        mutating func allowed(_ state: Int32) throws -> [Int] {
            var all: [Int] = []
            for token in tokens.indices where usable[token] && !tokens[token].isEmpty {
                if try ends.contains(next(state, token)) { all.append(token) }
            }
            return all
        }
    }

    /// Compares all states that tokens reach; how many there were.
    private func compare(_ rules: [TextPattern], _ tokens: [[UInt8]], unusable: Set<Int32>, _ note: String) throws
        -> Int
    {
        let usable = tokens.indices.map { !unusable.contains(Int32($0)) }
        guard var definition = try Definition(rules, tokens, usable: usable) else { return 0 }
        var paths: TokenPaths
        do {
            paths = try TokenPaths(rules, TokenTree(of: tokens), unusable: unusable)
            try paths.requireEnd(from: paths.states.start)
        } catch {
            #expect(
                !definition.canEnd && error.message.hasPrefix("no text is as the constraint asks"), "\(note): \(error)")
            return 1
        }
        #expect(definition.canEnd, "\(note)")
        var open = [(paths.states.start, definition.states.start)]
        var seen: Set<Int32> = [paths.states.start]
        while let (own, defined) = open.popLast() {
            let allowed = try Self.allowed(&paths, own, of: tokens.count)
            let expected = try definition.allowed(defined)
            #expect(allowed == expected, "\(note)")
            #expect(!allowed.isEmpty || paths.states.accepts(own), "\(note)")
            if let goesOn = paths.goesOn(own) { #expect(goesOn == !allowed.isEmpty, "\(note)") }
            for token in allowed {
                let next = try paths.next(own, Int32(token))
                if seen.insert(next).inserted { open.append((next, try definition.next(defined, token))) }
            }
        }
        return seen.count
    }

    @Test("The tokens that may come are those behind which others make a text that is allowed, whatever the vocabulary")
    func definition() throws {
        var random = RandomNumbers(seed: 11, stream: "vocabularies")
        func number(_ below: Int) -> Int { Int(random.next() % UInt64(below)) }
        func expression(_ depth: Int) -> String {
            switch number(depth == 0 ? 1 : 7) {
            case 0, 1: ["a", "b", "é", "[ab]", "."][number(5)]
            case 2, 3: expression(depth - 1) + expression(depth - 1)
            case 4: "(\(expression(depth - 1))|\(expression(depth - 1)))"
            case 5: "(\(expression(depth - 1)))" + ["*", "?", "+"][number(3)]
            default: "(\(expression(depth - 1))){\(number(3)),\(2 + number(3))}"
            }
        }
        let bytes: [[UInt8]] = [[0x61], [0x62], [0xC3], [0xA9], Array("é".utf8)]
        var (states, refused) = (0, 0)
        for _ in 0..<400 {
            let text = expression(3)
            let tokens = (0..<1 + number(7)).map { _ in (0..<1 + number(3)).flatMap { _ in bytes[number(bytes.count)] }
            }
            let unusable: Set<Int32> = number(3) == 0 ? [Int32(number(tokens.count))] : []
            let count = try compare(
                try Self.rules("regex", .string(text)), tokens, unusable: unusable, "\(text) \(tokens) \(unusable)")
            states += count
            refused += count == 1 ? 1 : 0
        }
        #expect(states > 600 && refused > 50 && refused < 350, "\(states) states, \(refused) refused")
    }

    @Test(
        "So it is with rules that call each other",
        arguments: [
            #"{"type": "array", "items": {"enum": ["ab", "b", null]}, "maxItems": 3}"#,
            #"{"properties": {"a": {"type": "boolean"}, "b": {"const": "é"}}, "required": ["b"], "type": "object"}"#,
            ##"{"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [{"items": {"$ref": "#/$defs/n"}}, {"const": 1}]}}}"##,
            #"{"type": "integer", "minimum": 7, "maximum": 120}"#,
        ])
    func schemas(_ schema: String) throws {
        let rules = try Self.rules("json_schema", JSON(parsing: schema, source: "schema"))
        let text = Array(#"["ab","b",null,"ab"] {"a": true, "b":"é"} {"b": "é"} [[[1]]] [[1]] [] 7 12 119"#.utf8)
        var random = RandomNumbers(seed: 3, stream: "pieces")
        var states = 0
        for round in 0..<40 {
            let tokens = (0..<20 + round).map { _ in
                let start = Int(random.next() % UInt64(text.count))
                return Array(text[start..<min(start + 1 + Int(random.next() % 5), text.count)])
            }
            states += try compare(rules, tokens, unusable: [], "\(round)")
        }
        #expect(states > 40, "\(states)")
    }

    @Test("Where every byte that counts is a token nothing is searched, and a long way is found without trying all")
    func effort() throws {
        let letters = (0x61...0x7A).map { [UInt8($0)] }
        var paths = try TokenPaths(Self.rules("regex", "[a-z]{9000}"), TokenTree(of: letters + [Array("é!".utf8)]))
        #expect(!paths.states.needsLongTokens)
        #expect(paths.goesOn(paths.states.start) == true)
        // All of two letters: half of the places are those of no token.
        let pairs = letters.flatMap { one in letters.map { one + $0 } }
        paths = try TokenPaths(Self.rules("regex", "[a-z]{9000}"), TokenTree(of: pairs))
        let canEnd = try paths.canEnd(paths.states.start)
        #expect(canEnd && !paths.states.isFull)
        #expect(throws: GraftError.self) {
            var odd = try TokenPaths(Self.rules("regex", "[a-z]{901}"), TokenTree(of: pairs))
            try odd.requireEnd(from: odd.states.start)
        }
    }

    @Test(
        "What no tokens can write is refused with a text that shows it",
        arguments: [
            (["abce"], #": of "abce" none goes on behind "abc""#), (["日本"], #": of "日本" none is the beginning"#),
            (["ax"], #": of "ax" none is the beginning"#), (["dc", "abx"], #": of "dc" none is the beginning"#),
        ] as [([String], String)])
    func refusals(_ choices: [String], _ fragment: String) throws {
        let tokens = ["ab", "abc", "cd", "xy", "日本語"].map { Array($0.utf8) }
        let failure = #expect(throws: GraftError.self) {
            var paths = try TokenPaths(
                Self.rules("choices", .array(choices.map { .string($0) })), TokenTree(of: tokens))
            try paths.requireEnd(from: paths.states.start)
        }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.hasSuffix(fragment) == true, "\(failure?.message ?? "")")
    }
}
