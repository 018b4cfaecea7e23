import GraftFormats
import GraftTensor
import GraftTokenizers
import Testing

@testable import GraftInference

/// Which tokens a constraint lets come, by all texts of a few characters.
@Suite struct ConstraintTests {
    /// Each byte is a token, and so are some sequences.
    static let tokens =
        (0..<256).map { [UInt8($0)] }
        + ["ab", "ba", "aab", "1a", "11", " a", "\nb", "é", "aé", "日", "\"a", "\":", "{\"", "[[", "]]"].map {
            Array($0.utf8)
        }

    /// A byte-level tokenizer of those tokens and a special one.
    static let tokenizer: Tokenizer = {
        var vocabulary = JSONObject()
        for (id, token) in tokens.enumerated() {
            let spelled = token.map { byte in
                let isItself = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
                let others = (0..<Int(byte)).filter { $0 < 0x21 || (0x7F...0xA0).contains($0) || $0 == 0xAD }
                return String(Unicode.Scalar(isItself ? UInt32(byte) : UInt32(0x100 + others.count)) ?? "?")
            }
            vocabulary[spelled.joined()] = .integer(id)
        }
        let end: JSON = [
            "id": .integer(tokens.count), "content": "</s>", "special": true, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false,
        ]
        let file: JSON = [
            "version": "1.0", "added_tokens": [end],
            "model": ["type": "BPE", "vocab": .object(vocabulary), "merges": []], "decoder": ["type": "ByteLevel"],
        ]
        do {
            return try Array(file.serialized().utf8).withUnsafeBytes { try Tokenizer(tokenizer: $0, source: "tokens") }
        } catch {
            fatalError("\(error)")
        }
    }()

    static func constraint(_ kind: String, _ value: JSON) throws -> TokenConstraint {
        var settings = JSONObject()
        settings[kind] = value
        return try TokenConstraint(JSON.object(settings).serialized(), tokenizer)
    }

    /// The tokens that may come; the special one stands for the end.
    static func allowed(_ constraint: TokenConstraint, _ state: Int32) throws -> [Int] {
        var logits = Array(repeating: Float(0), count: tokens.count + 9)
        do {
            try logits.withUnsafeMutableBufferPointer {
                try constraint.mask($0, state, stops: [Int32(tokens.count)])
            }
        } catch let error as GraftError where error.message.hasPrefix("no token") {
            return []
        }
        return logits.indices.filter { logits[$0] == 0 }
    }

    /// All texts of up to `length` of some characters, as bytes.
    private static func texts(of characters: [String], length: Int) -> [[UInt8]] {
        var (all, latest): ([[UInt8]], [[UInt8]]) = ([[]], [[]])
        for _ in 0..<length {
            latest = latest.flatMap { text in characters.map { text + Array($0.utf8) } }
            all += latest
        }
        return all
    }

    @Test(
        "A token may come exactly if a text that the expression matches begins so, and the end exactly behind one",
        arguments: [
            "", "a", "ab|ba", "a*b+", "(ab)*1?", "[ab]{2,3}1", "a{0}b", "a{,2}", "(a|b)*1(a|b){2}", ".b", "[^a]{2}",
            "\\d+\\s\\w", "\\D\\S", "\\W", "(a|ab)(1|b1)", "((a?)*b)*", "^a$|^b", "a(?:b|1)+?", "[\\d\\n]{2}", "(){3}a",
            "[-a][b-]", "a{2}|a{4,}", "[^\\w]a", "(a|a|a*)b",
        ])
    func expressions(_ expression: String) throws {
        try check(expression, characters: ["a", "b", "1", " ", "\n"], .bytes)
    }

    @Test(
        "Characters of several bytes are wholes",
        arguments: ["é", "[é日]a", "[^a]", ".{2}", "[^é]日", "[\\u00e0-\\u65e5]", "\\ud83d\\ude00?a", "(é|日)*"])
    func characters(_ expression: String) throws {
        try check(expression, characters: ["a", "à", "é", "日", "😀"], [])
    }

    /// Against PCRE2, which matches each of the texts or does not.
    private func check(_ expression: String, characters: [String], _ options: RegularExpression.Options) throws {
        let plain = expression.replacing("\\ud83d\\ude00", with: "😀").replacing("\\u00e0", with: "à")
            .replacing("\\u65e5", with: "日").replacing("{,", with: "{0,")
        let matcher = try RegularExpression(
            "(?s:\(plain.replacing(".", with: "[^\\n]")))\\z", [.anchored, options], orThrow: .internal)
        let search = try RegularExpression.Search(matcher)
        var (members, beginnings): (Set<[UInt8]>, Set<[UInt8]>) = ([], [])
        for text in Self.texts(of: characters, length: 5)
        where try search.first(in: text, count: text.count, from: 0) == 0..<text.count {
            members.insert(text)
            for count in 0...text.count { beginnings.insert(Array(text[..<count])) }
        }
        // What lies behind so few characters is short enough to have been tried.
        let tried = Set(
            Self.texts(of: characters, length: 2).flatMap { text in text.indices.map { Array(text[...$0]) } })
        let constraint = try Self.constraint("regex", .string(expression))
        var open: [(text: [UInt8], state: Int32)] = [([], try constraint.start(after: []))]
        var seen: Set<[UInt8]> = []
        while let (text, state) = open.popLast() {
            let allowed = Set(try Self.allowed(constraint, state))
            #expect(allowed.contains(Self.tokens.count) == members.contains(text), "\(text)")
            for (token, bytes) in Self.tokens.enumerated() where tried.contains(text + bytes) {
                #expect(allowed.contains(token) == beginnings.contains(text + bytes), "\(text) \(token)")
                if allowed.contains(token), seen.insert(text + bytes).inserted {
                    open.append((text + bytes, try constraint.next(state, Int32(token))))
                }
            }
        }
    }

    @Test("A text is complete where nothing can follow, and its first space may be one that is dropped")
    func places() throws {
        let constraint = try Self.constraint("choices", ["a", "ab", "ba", " 日", "ba"])
        let start = try constraint.start(after: [])
        func behind(_ text: String) throws -> Int32 {
            try text.utf8.reduce(start) { try constraint.next($0, Int32($1)) }
        }
        #expect(try constraint.accepts(behind("a")) && !constraint.isComplete(behind("a")))
        #expect(try constraint.isComplete(behind("ab")) && constraint.isComplete(behind("ba")))
        #expect(try !constraint.accepts(behind("b")) && !constraint.accepts(behind("c")))
        #expect(try Self.allowed(constraint, behind("c")).isEmpty)

        let rules = try Grammar.rules("{\"choices\": [\"a\", \" b\"]}")
        var states = try AutomatonStates(ByteAutomaton(rules, bytes: Array(repeating: true, count: 256)))
        func isMatch(_ text: String) throws -> Bool {
            var state = states.startBeforeSpace
            for byte in text.utf8 where state >= 0 { state = try states.next(state, byte) }
            return states.accepts(state)
        }
        #expect(try isMatch("a") && isMatch(" a") && isMatch("  b") && !isMatch(" b") && !isMatch("  a"))
    }

    @Test(
        "What is no expression, or needs more than an automaton, is refused by name and place",
        arguments: [
            ("a(?=b)", "a look-ahead at character 1"), ("(?<!a)b", "a look-behind at character 0"),
            ("(a)\\1", "a back-reference at character 3"), ("a^b", "\"^\" within it at character 1"),
            ("a$b", "\"$\""), ("(a$)", "\"$\""), ("\\bword", "the boundary \"\\b\" at character 0"),
            ("\\p{L}", "property"),
            ("(?i)a", "flags"), ("(?P<n>a)", "a named group"), ("a*+", "possessive"),
            ("a**", "a repetition of a repetition"),
            ("*a", "repeats nothing"), ("a{3,2}", "m at most n"), ("a{x}", "{m,n}"), ("a{}", "{m,n}"),
            ("{", "repeats nothing"), ("a{99999}", "65536 repetitions"), ("(a", "not closed at character 0"),
            ("a)", "closes no group at character 1"), ("[a", "a class that is not closed"),
            ("[]a]", "begins with \"]\""),
            ("[[:alpha:]]", "[:alpha:]"), ("[b-a]", "a range"), ("[\\d-a]", "a range"), ("\\", "at its end"),
            ("\\xg0", "2 hexadecimal"), ("\\ud800", "surrogate"), ("\\q", "the escape \"\\q\""),
            (String(repeating: "(", count: 40), "more than 16 groups"), ("(a{1000}){1000}", "nodes"),
            ("(((){65536}){65536}){65536}", "nodes"), ("[^\\s\\S]", "no text is as"), ("a[^\\s\\S]b", "no text is as"),
        ])
    func refusals(_ expression: String, _ fragment: String) {
        do {
            _ = try Self.constraint("regex", .string(expression))
            Issue.record("\(expression) is taken")
        } catch {
            let message = (error as? GraftError)?.message ?? ""
            #expect(message.contains(fragment), "\(message)")
        }
    }

    @Test("An expression with more states than memory is taken as far as that goes, and refused there")
    func bounds() throws {
        // Many kinds of bytes, and a state for each repetition.
        let letters = (0x21...0x7E).map { "\\x" + String($0, radix: 16) }.joined(separator: "|")
        let constraint = try Self.constraint("regex", .string("\(letters)|a{60000}"))
        let failure = #expect(throws: GraftError.self) {
            var state = try constraint.start(after: [])
            for _ in 0..<60000 { state = try constraint.next(state, 0x61) }
        }
        #expect(failure?.message.contains("more memory or work") == true)
        #expect(constraint.isFull)
    }

    @Test("Any expression is read or refused, and one that is read can be walked to its end")
    func mutations() throws {
        let pieces = Array("aé日b1()|*+?{}[]^-.$\\dwsDW,2:=<! \n\"".unicodeScalars)
        var random = RandomNumbers(seed: 7, stream: "expressions")
        var taken = 0
        for _ in 0..<2000 {
            var expression = String.UnicodeScalarView()
            for _ in 0..<random.next() % 12 { expression.append(pieces[Int(random.next() % UInt64(pieces.count))]) }
            guard let constraint = try? Self.constraint("regex", .string(String(expression))) else { continue }
            taken += 1
            var state = try constraint.start(after: [])
            for _ in 0..<8 {
                let allowed = try Self.allowed(constraint, state)
                #expect(!allowed.isEmpty, "\(String(expression))")
                guard let token = allowed.filter({ $0 < Self.tokens.count }).randomElement(using: &random) else {
                    break
                }
                state = try constraint.next(state, Int32(token))
            }
        }
        #expect(taken > 200, "\(taken)")
    }
}
