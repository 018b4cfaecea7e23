import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

/// Rows that join others under way, and share what they begin with.
@Suite struct PagedCacheTests {
    private let folder: String

    init() throws { folder = try TestData.path("models/stories260K/hf") }

    /// Prompts of which the first begin alike, for more than two pages.
    private func prompt(_ number: Int) -> [Int32] {
        let beginning = (0..<150).map { Int32(3 + $0 * 7 % 500) }
        return number < 4
            ? beginning + [Int32](repeating: Int32(300 + number), count: 1 + 20 * number) : [5, 9, Int32(number)]
    }

    private func batch(_ numbers: [Int]) -> RowBatch {
        var rows = RowBatch()
        for number in numbers { rows.append(tokens: prompt(number), types: nil as [Int32]?) }
        return rows
    }

    private func options(seed: Int) -> GenerationOptions {
        var options = GenerationOptions()
        options.temperature = 0.9
        options.stopTokens = []
        options.seed = UInt64(seed)
        options.maximumTokens = 70
        return options
    }

    private func composition(_ model: Model, seed: UInt64, scale: Float = 1) throws -> Composition {
        let config = "{\"r\": 4, \"lora_alpha\": 8, \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}"
        return try Composition(
            adapter: try Adapter(model: model, method: "lora", config: config, seed: seed), scale: scale)
    }

    private func session(_ model: Model, passTokens: Int = 0) throws -> Session {
        try Session(model: model, threadCount: 2, passTokenCount: passTokens, cancelToken: nil)
    }

    private func alone(_ model: Model, _ number: Int, _ composition: Composition?) throws -> [Int32] {
        try tokens(try session(model), number, composition)
    }

    private func tokens(_ session: Session, _ number: Int, _ composition: Composition?) throws -> [Int32] {
        var tokens: [Int32] = []
        try session.generate(
            batch([number]), adapters: [composition], options: options(seed: number), tokenizer: nil
        ) { token in
            tokens.append(token.id)
            return true
        }
        return tokens
    }

    @Test(
        "A row's tokens do not depend on when it joins, what it shares, or what goes on beside it",
        arguments: [Precision.float32, .bfloat16])
    func joining(precision: Precision) throws {
        let model = try Architectures.load(path: folder, precision: precision)
        let (first, second) = (try composition(model, seed: 1), try composition(model, seed: 2))
        let adapters = [nil, first, nil, second, first, nil]
        let expected = try (0..<6).map { try alone(model, $0, adapters[$0]) }
        #expect(Set(expected).count == 6)
        for passTokens in [0, 50] {
            let session = try session(model, passTokens: passTokens)
            var found = Array(repeating: [Int32](), count: 6)
            func add(_ numbers: [Int]) throws {
                for number in numbers {
                    try session.add(
                        batch([number]), adapters: [adapters[number]], options: options(seed: number), tokenizer: nil,
                        firstRow: number)
                }
            }
            func step(_ count: Int) throws {
                for _ in 0..<count {
                    _ = try session.step { token in
                        found[token.row].append(token.id)
                        return true
                    }
                }
            }
            try add([0, 1, 2])
            try step(5)
            try add([3, 4])
            try step(2)
            try session.remove(row: 1)
            try add([5])
            while session.generatedRowCount > 0 { try step(1) }
            #expect(found[1].count == 7)
            found[1] = expected[1]
            #expect(found == expected, "passes of \(passTokens) tokens")
            let error = #expect(throws: GraftError.self) { try session.remove(row: 0) }
            #expect(error?.code == .notFound)
        }
    }

    @Test("Rows have the pages that they need, whatever is known of the virtual tokens before them")
    func virtualPages() throws {
        let model = try Architectures.load(path: folder, precision: .float32)
        let adapter = try Adapter(
            model: model, method: "prompt_tuning", config: "{\"num_virtual_tokens\": 64}", seed: 1)
        let own = try Composition(adapter: adapter, scale: 1)
        func tokens(_ session: Session, _ count: Int) throws -> [Int32] {
            var (rows, found) = (RowBatch(), [Int32]())
            rows.append(tokens: (0..<count).map { Int32(3 + ($0 * 7 + count) % 500) }, types: nil as [Int32]?)
            var options = options(seed: count)
            options.maximumTokens = 100
            try session.generate(rows, adapters: [own], options: options, tokenizer: nil) { token in
                found.append(token.id)
                return true
            }
            return found
        }
        let session = try session(model)
        for count in [3, 66, 5, 130, 66] {
            #expect(try tokens(session, count) == tokens(try self.session(model), count))
        }
    }

    @Test("A text is spared the work on what the model has read, and never reads another adapter's keys")
    func owners() throws {
        let model = try Architectures.load(path: folder, precision: .float32)
        let session = try session(model)
        let first = try composition(model, seed: 1)
        let compositions = [
            nil, first, try composition(model, seed: 2), try Composition(adapter: first.adapters[0], scale: 0.5),
        ]
        let expected = try compositions.map { try alone(model, 3, $0) }
        #expect(Set(expected).count == 4)
        // Twice: what the second reads of the first is its own.
        for _ in 0..<2 {
            for (own, tokens) in zip(compositions, expected) { #expect(try self.tokens(session, 3, own) == tokens) }
        }
        func known(_ composition: Composition?) throws -> Int {
            let row = try #require(try session.cache.add(capacities: [300]).first)
            defer { session.cache.remove(row) }
            return session.cache.find(prompt(3)[...], owner: composition?.attached.content ?? [], least: 1, forRow: row)
        }
        #expect(try known(compositions[3]) == 192)
        // Another composition of the same adapter is the same; with other numbers it is not.
        let again = try Composition(adapter: first.adapters[0], scale: 0.5)
        #expect(try known(again) == 192)
        first.adapters[0].content.values[0] += 1
        first.adapters[0].markChanged()
        #expect(try known(again) == 0)
        #expect(try tokens(session, 3, first) == alone(model, 3, first))
    }

    @Test("An adapter that works on a text is not trained, and an error ends all texts")
    func refused() throws {
        let model = try Architectures.load(path: folder, precision: .float32)
        let session = try session(model)
        let own = try composition(model, seed: 1)
        try session.add(batch([0, 4]), adapters: [own, nil], options: options(seed: 1), tokenizer: nil, firstRow: 0)
        #expect(throws: GraftError.self) { try own.adapters[0].change {} }
        own.adapters[0].content.values[0] = .nan
        let error = #expect(throws: GraftError.self) { _ = try session.step { _ in true } }
        #expect(error?.code == .diverged && error?.message.hasPrefix("row 0:") == true, "\(error?.message ?? "")")
        #expect(session.generatedRowCount == 0)
        try own.adapters[0].change {}
    }
}
