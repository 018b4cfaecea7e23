import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTokenizers
import Testing

@testable import GraftInference

/// Texts that a constraint rules, with the real stories260K.
@Suite struct ConstrainedGenerationTests {
    private let model: Model
    private let tokenizer: Tokenizer

    init() throws {
        let folder = try TestData.path("models/stories260K/hf")
        model = try Architectures.load(path: folder, precision: .float32)
        tokenizer = try Tokenizer(folder: folder)
    }

    private struct Result: Equatable {
        var text = ""
        var tokens: [Int32] = []
        var likely: [[Int32]] = []
        var end = TokenEnd.none
    }

    private func rows(_ prompts: [String]) throws -> RowBatch {
        var rows = RowBatch()
        for prompt in prompts {
            rows.append(tokens: try tokenizer.encode(prompt).ids, types: nil as [Int32]?)
        }
        return rows
    }

    private static let prompts = ["Once upon a time", "The cat", "Lily", "Once upon a time"]

    /// Texts by row and sample.
    private func generate(
        _ constraints: [String?], of prompts: [String] = prompts, session given: Session? = nil,
        _ change: (inout GenerationOptions) -> Void = { _ in }
    ) throws -> [[Result]] {
        var options = GenerationOptions()
        options.constraints = constraints
        options.maximumTokens = 40
        change(&options)
        let session = try given ?? Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        var results = Array(
            repeating: Array(repeating: Result(), count: options.sampleCount), count: prompts.count)
        try session.generate(try rows(prompts), adapters: [], options: options, tokenizer: tokenizer) { token in
            results[token.row][token.sample].text += token.text
            results[token.row][token.sample].tokens.append(token.id)
            results[token.row][token.sample].likely.append(token.likely?.tokens ?? [])
            results[token.row][token.sample].end = token.end
            return true
        }
        return results
    }

    private static func regex(_ expression: String) -> String {
        (["regex": .string(expression)] as JSON).serialized()
    }

    private static func isMatch(_ text: String, _ expression: String) throws -> Bool {
        try RegularExpression("(?:\(expression))\\z", .anchored, orThrow: .internal).matches(text)
    }

    private static let expressions: [String?] = [
        " [a-z]{3,6}( [a-z]{3,6}){2}[.!]", nil, "(yes|no|[0-9]{4})", " \"[^\"]{2,20}\"",
    ]
    private static let constraints = expressions.map { $0.map(regex) }

    @Test("Each row's text is one that its own constraint allows, alone or in a batch, sampled, in beams, or joining")
    func rows() throws {
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        for temperature: Float in [0, 1, 3] {
            let results = try generate(Self.constraints, session: session) {
                $0.temperature = temperature
                $0.sampleCount = temperature > 0 ? 4 : 1
                $0.maximumTokens = 100
            }
            for (row, texts) in results.enumerated() {
                guard let expression = Self.expressions[row] else { continue }
                for result in texts {
                    #expect(try Self.isMatch(result.text, expression), "\(result)")
                    #expect(result.end == .constraint || result.end == .stopToken, "\(result)")
                }
                let alone = try generate([Self.constraints[row]], of: [Self.prompts[row]]) {
                    $0.temperature = temperature
                    $0.sampleCount = texts.count
                    $0.maximumTokens = 100
                }
                #expect(alone[0] == texts)
            }
            #expect(
                results[1]
                    == (try generate([], of: [Self.prompts[1]]) { options in
                        options.temperature = temperature
                        options.sampleCount = temperature > 0 ? 4 : 1
                        options.maximumTokens = 100
                    })[0], "a row without one is as it was")
        }
        let beams = try generate(Self.constraints, session: session) {
            $0.beamCount = 3
            $0.sampleCount = 3
        }
        for row in [0, 2, 3] {
            for result in beams[row] {
                #expect(try Self.isMatch(result.text, try #require(Self.expressions[row])), "\(result)")
                #expect(result.end == .constraint || result.end == .stopToken)
            }
            #expect(Set(beams[row].map(\.text)).count == 3)
        }
    }

    @Test("A greedy token is the likeliest of those that may come")
    func greedy() throws {
        for (row, text) in Self.constraints.enumerated() {
            guard let text else { continue }
            let result = try generate([text], of: [Self.prompts[row]]) { $0.likelyCount = 512 }[0][0]
            let constraint = try TokenConstraint(text, tokenizer)
            var state = try constraint.start(after: tokenizer.encode(Self.prompts[row]).ids[...])
            for (token, likely) in zip(result.tokens, result.likely) {
                var logits = Array(repeating: Float(0), count: 512)
                try logits.withUnsafeMutableBufferPointer { try constraint.mask($0, state, stops: [2]) }
                #expect(token == likely.first { logits[Int($0)] == 0 })
                state = try constraint.next(state, token)
            }
        }
    }

    @Test("A text without a prompt, or one that is read by itself, is exactly what its constraint allows")
    func withoutPrompt() throws {
        let choices = "{\"choices\": [\"The cat\", \" dog\", \"x\"]}"
        for seed in 0..<6 {
            let result = try generate([choices], of: [""]) {
                $0.temperature = 2
                $0.seed = UInt64(seed)
            }[0][0]
            #expect(["The cat", " dog", "x"].contains(result.text), "\(result)")
            #expect(try tokenizer.decode(result.tokens) == result.text)
        }
    }

    @Test("A text says where its constraint was not met, and biases, stops and stop strings work beside it")
    func ends() throws {
        func one(_ expression: String, _ change: (inout GenerationOptions) -> Void) throws -> Result {
            try generate([Self.regex(expression)], of: ["The cat"], change)[0][0]
        }
        #expect(try one("[a-z ]{30}") { $0.maximumTokens = 3 }.end == .length)
        #expect(try one("[a-z ]{30}") { $0.stopTokens = [] }.end == .constraint)
        #expect(try one("[a-z ]*x?") { $0.biases = [.init(token: 2, amount: 1000)] }.text == "")
        #expect(try one("[a-z ]*x?") { $0.biases = [.init(token: 2, amount: 1000)] }.end == .stopToken)
        let late = try one("[a-z ]*x?") {
            $0.biases = [.init(token: 2, amount: 1000)]
            $0.minimumTokens = 4
        }
        #expect(late.tokens.count == 5 && late.end == .stopToken)
        let stopped = try one("(ab){9}") { $0.stopStrings = ["bab"] }
        #expect(stopped.text == "a" && stopped.end == .stopString)
    }

    /// A tokenizer of few tokens, which have some bytes only within longer ones.
    private static func sparse(_ tokens: [String]) throws -> Tokenizer {
        var vocabulary = JSONObject()
        for (id, token) in tokens.enumerated() { vocabulary[token] = .integer(id) }
        let file: JSON = [
            "version": "1.0", "model": ["type": "BPE", "vocab": .object(vocabulary), "merges": []],
            "decoder": ["type": "ByteLevel"],
        ]
        return try Array(file.serialized().utf8).withUnsafeBytes { try Tokenizer(tokenizer: $0, source: "tokens") }
    }

    @Test("A text takes the way that its tokens have, sampled, likeliest or in beams, and ends where none goes on")
    func sparseTokens() throws {
        let tokens = ["<", ">", "=", "ab", "abc", "cd", "xy", "yz", "a"]
        let tokenizer = try Self.sparse(tokens)
        var rows = RowBatch()
        rows.append(tokens: [1, 0, 3], types: nil as [Int32]?)
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        func texts(_ constraint: String, _ change: (inout GenerationOptions) -> Void) throws -> [String] {
            var options = GenerationOptions()
            options.constraints = [constraint]
            options.stopTokens = []
            // What leads nowhere is the likeliest by far.
            options.biases = [4, 6].map { GenerationOptions.Bias(token: $0, amount: 1000) }
            change(&options)
            var texts = Array(repeating: "", count: options.sampleCount)
            try session.generate(rows, adapters: [], options: options, tokenizer: tokenizer) { token in
                texts[token.sample] += "\(token.id) \(token.end == .none ? "" : "\(token.end)")"
                return true
            }
            return texts
        }
        for change in [
            { _ in },
            {
                $0.temperature = 2
                $0.sampleCount = 4
            }, { $0.beamCount = 3 },
        ] as [(inout GenerationOptions) -> Void] {
            for (constraint, expected) in [
                ("{\"choices\": [\"abcd\", \"abce\", \"abcdef\"]}", "3 5 constraint"),
                ("{\"regex\": \"a[a-c]*(cd)!|abcd\"}", "3 5 constraint"),
                ("{\"regex\": \"abc(xyz[a-z])?\"}", "4 constraint"),
            ] {
                let found = try texts(constraint, change)
                #expect(Set(found) == [expected], "\(constraint)")
            }
            // Tokens that end texts, that never come, or that the model lacks, write none.
            for forbid in [{ $0.stopTokens = [5] }, { $0.biases = [.init(token: 5, amount: -.infinity)] }]
                as [(inout GenerationOptions) -> Void]
            {
                let failure = #expect(throws: GraftError.self) {
                    try texts("{\"choices\": [\"abcd\"]}") {
                        change(&$0)
                        forbid(&$0)
                    }
                }
                #expect(failure?.message.hasSuffix("of \"abcd\" none goes on behind \"abc\"") == true)
                #expect(failure?.message.hasPrefix("row 0: ") == true)
            }
        }
        let many = try Self.sparse((0..<600).map { $0 == 599 ? "x" : "<\($0)>" })
        var options = GenerationOptions()
        options.constraints = ["{\"regex\": \"<59>x\"}"]
        let failure = #expect(throws: GraftError.self) {
            try session.generate(rows, adapters: [], options: options, tokenizer: many) { _ in true }
        }
        #expect(failure?.message.contains("no text is as the constraint asks") == true)
    }

    @Test("What cannot be met is an error that says so, and the session goes on")
    func errors() throws {
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        let never = (tokenizer.encodeLetters("a")).map { GenerationOptions.Bias(token: $0, amount: -.infinity) }
        for (constraint, change, fragment) in [
            ("[", { _ in }, "constraint, line 1"), ("[]", { _ in }, "expected a JSON object"),
            ("{}", { _ in }, "expected one member, of \"choices\""),
            ("{\"regexp\": \"a\"}", { _ in }, "found \"regexp\""),
            ("{\"choices\": []}", { _ in }, "at least one text"),
            ("{\"choices\": [1]}", { _ in }, "an array of strings"),
            ("{\"regex\": \"[^\\\\s\\\\S]\"}", { _ in }, "no text is as the constraint asks"),
            ("{\"choices\": [\"a\"]}", { $0.biases = never }, "of \"a\" none is the beginning"),
            ("{\"choices\": [\"\"]}", { $0.stopTokens = [] }, "no token of the vocabulary that may come"),
        ] as [(String, (inout GenerationOptions) -> Void, String)] {
            let error = #expect(throws: GraftError.self) {
                try generate([constraint], of: ["The cat"], session: session, change)
            }
            #expect(error?.message.contains(fragment) == true, "\(String(describing: error))")
            #expect(error?.message.hasPrefix("row 0: ") == true, "\(String(describing: error))")
        }
        let error = #expect(throws: GraftError.self) { try generate([nil], of: ["a", "b"], session: session) }
        #expect(error?.message == "constraints has 1 texts for 2 rows")
        #expect(try generate(["{\"choices\": [\"a\"]}"], of: ["The cat"], session: session)[0][0].text == "a")
    }
}

extension Tokenizer {
    /// Tokens that begin with one of some letters, or are the bytes of one.
    fileprivate func encodeLetters(_ letters: String) -> [Int32] {
        (0..<512).filter { id in
            guard let text = try? tree().text(of: id).first else { return false }
            return letters.utf8.contains(text)
        }
    }
}
