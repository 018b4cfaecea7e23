import GraftAdapters
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import GraftTraining
import Testing

/// What scales, session adapters and row adapters mean, and which uses are refused.
@Suite struct CompositionTests {
    private let mixed: MixedRows
    private let session: Session

    init() throws {
        mixed = try MixedRows(.float32)
        session = try mixed.session(threads: 2)
    }

    private func adapter(labels: Int = 4) throws -> Adapter {
        try MixedRows.adapter(mixed.model, rank: 4, targets: "\"all-linear\"", labels: labels)
    }

    @Test("Scale 0 is no adapter, to the last bit")
    func scaleZero() throws {
        let off = try Composition(adapter: try adapter(), scale: 0)
        let rows = Array(repeating: off as Composition?, count: mixed.rows.rowCount)
        #expect(bits(try session.embeddings(mixed.rows, rows)) == bits(try session.embeddings(mixed.rows)))
        #expect(bits(try session.states(mixed.rows, rows)) == bits(try session.states(mixed.rows)))
    }

    @Test("A bottleneck at scale 0 is no adapter, to the last bit, and halfway it is neither")
    func bottleneckScale() throws {
        for name in ["seq-bn", "double-seq-bn", "par-bn", "post-add", "residual-after-norm"] {
            let adapter = try Adapter(model: mixed.model, path: Goldens.path("bottleneck/\(name)/start"))
            func states(_ scale: Float) throws -> [Float] {
                let composition = try Composition(adapter: adapter, scale: scale)
                return try session.states(mixed.rows, Array(repeating: composition, count: mixed.rows.rowCount))
            }
            let plain = try session.states(mixed.rows)
            #expect(bits(try states(0)) == bits(plain), "\(name)")
            let (whole, half) = (try states(1), try states(0.5))
            #expect(Goldens.difference(whole, plain) > 0.1, "\(name)")
            #expect(Goldens.difference(half, plain) > 0.05 && Goldens.difference(half, whole) > 0.05, "\(name)")
        }
    }

    @Test("The effect of one adapted module grows in proportion to the scale")
    func scaleIsLinear() throws {
        // Only a norm follows the last product, and what is small passes a norm in proportion.
        let adapter = try MixedRows.adapter(mixed.model, rank: 4, targets: "[\"1.output.dense\"]", labels: 2)
        func change(_ scale: Float) throws -> [Float] {
            let composition = try Composition(adapter: adapter, scale: scale)
            let rows = Array(repeating: composition as Composition?, count: mixed.rows.rowCount)
            return zip(try session.states(mixed.rows, rows), try session.states(mixed.rows)).map { $0 - $1 }
        }
        let small = try change(0.001)
        let double = try change(0.002)
        let difference = Goldens.difference(small.map { 2 * $0 }, double)
        let largest = double.map { abs($0) }.max() ?? 0
        #expect(largest > 1e-4)
        #expect(difference < 0.02 * largest, "\(difference) of \(largest)")
    }

    @Test("The session's adapters act on rows that name none, and rows that name one keep theirs")
    func sessionAndRows() throws {
        let own = try Composition(adapter: try adapter(), scale: 1)
        try session.attach(own)
        let some = mixed.adapters
        let filled = some.map { $0 ?? own }
        let attached = try session.logits(mixed.rows, some)
        let attachedToAll = try session.embeddings(mixed.rows)
        try session.attach(nil)
        #expect(bits(try session.logits(mixed.rows, filled).values) == bits(attached.values))
        let all = Array(repeating: own as Composition?, count: mixed.rows.rowCount)
        #expect(bits(try session.embeddings(mixed.rows, all)) == bits(attachedToAll))
        #expect(bits(try session.embeddings(mixed.rows)) != bits(attachedToAll))
    }

    @Test("A composition keeps its adapter and gives the same after the handle's owner is gone")
    func compositionKeepsAdapter() throws {
        let expected: [UInt32]
        let composition: Composition
        do {
            let adapter = try adapter()
            composition = try Composition(adapter: adapter, scale: 1)
            expected = bits(try session.logits(mixed.single(3), [composition]).values)
        }
        #expect(bits(try session.logits(mixed.single(3), [composition]).values) == expected)
    }

    private func expect(_ code: GraftError.Code, _ words: String, _ body: () throws -> Void) {
        let error = #expect(throws: GraftError.self) { try body() }
        #expect(error?.code == code)
        #expect(error?.message.contains(words) ?? false, "\(error?.message ?? "")")
    }

    @Test("An adapter is used and saved between the calls of its trainer, and refused during them")
    func adapterInTraining() throws {
        let adapter = try adapter()
        let composition = try Composition(adapter: adapter, scale: 1)
        let folder = try Goldens.temporaryFolder()
        let trainer = try Trainer(adapter: adapter, options: TrainerOptions())
        try session.attach(composition)
        let before = bits(try session.embeddings(mixed.rows))
        var rows = mixed.rows
        rows[.labels] = (0..<rows.rowCount).map { Int32($0 % 4) }
        var reports = 0
        _ = try trainer.fit(rows, evaluation: nil) { _ in
            reports += 1
            expect(.invalidArgument, "being trained by another call") { _ = try session.embeddings(mixed.rows) }
            expect(.invalidArgument, "being trained by another call") {
                _ = try session.logits(mixed.single(0), [composition])
            }
            expect(.invalidArgument, "being trained by another call") { try adapter.save(to: folder + "/amid") }
            return true
        }
        #expect(reports > 0)
        let after = bits(try session.embeddings(mixed.rows))
        #expect(after != before)
        try adapter.save(to: folder + "/after")
        let saved = try Composition(adapter: try Adapter(model: mixed.model, path: folder + "/after"), scale: 1)
        try session.attach(saved)
        #expect(bits(try session.embeddings(mixed.rows)) == after)
        expect(.invalidArgument, "has a trainer") { try adapter.set(nil) }
        // What a session reads is not changed meanwhile.
        try adapter.read { _, _ in expect(.invalidArgument, "in use by another call") { _ = try trainer.step(rows) } }
        withExtendedLifetime(trainer) {}
    }

    @Test("An adapter of another model object is refused")
    func otherModel() throws {
        let other = try MixedRows(.float32)
        let foreign = try #require(other.adapters.compactMap { $0 }.first)
        expect(.incompatible, "another model object") { try session.attach(foreign) }
        expect(.incompatible, "another model object") { _ = try session.embeddings(mixed.single(0), [foreign]) }
    }

    @Test("Rows without a head are refused by their number; embedding them is not")
    func noHead() throws {
        let bare = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        let session = try Session(model: bare, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        let adapter = try Adapter(model: bare, path: Goldens.path("lora/feature-extraction"))
        let composition = try Composition(adapter: adapter, scale: 1)
        var rows = mixed.single(0)
        rows.append(row: 1, of: mixed.rows)
        expect(.invalidArgument, "row 0 has no classification head") { _ = try session.logits(rows) }
        let headed = try MixedRows.adapter(bare, rank: 2, targets: "[\"query\"]", labels: 2)
        let withHead = try Composition(adapter: headed, scale: 1)
        expect(.invalidArgument, "row 1 has no classification head") {
            _ = try session.logits(rows, [withHead, composition])
        }
        #expect(try session.embeddings(rows, [withHead, composition]).allSatisfy { $0.isFinite })
        #expect(try session.logits(rows, [withHead, withHead]).columns == 2)
    }

    @Test("A scale that is not a number is refused, and so is any but 1 where an adapter replaces a module")
    func badScales() throws {
        let adapter = try adapter()
        for scale in [Float.nan, .infinity, -.infinity] {
            expect(.invalidArgument, "scale") { _ = try Composition(adapter: adapter, scale: scale) }
        }
        let replacing = try Adapter(model: mixed.model, path: Goldens.path("lora/modules-to-save-pooler"))
        expect(.incompatible, "pooler.dense") { _ = try Composition(adapter: replacing, scale: 0.5) }
        _ = try Composition(adapter: replacing, scale: 1)
    }

    @Test("Rows that the model cannot take are refused by row and token")
    func badRows() throws {
        func row(_ tokens: [Int32], _ types: [Int32]? = nil) -> RowBatch {
            var batch = mixed.single(0)
            batch.append(tokens: tokens, types: types)
            return batch
        }
        expect(.incompatible, "row 1, token 2: id 120") { _ = try session.embeddings(row([1, 2, 120])) }
        expect(.incompatible, "row 1, token 0: id -1") { _ = try session.embeddings(row([-1])) }
        expect(.incompatible, "row 1, token 1: type id 2") { _ = try session.embeddings(row([1, 1], [0, 2])) }
        expect(.incompatible, "row 1 has 65 tokens") {
            _ = try session.embeddings(row(Array(repeating: 1, count: 65)))
        }
        expect(.invalidArgument, "layer must be") { _ = try session.states(mixed.single(0), layer: 3) }
        expect(.invalidArgument, "layer must be") { _ = try session.states(mixed.single(0), layer: -2) }
    }

    @Test("A cancelled token stops a call, and a later session goes on")
    func cancellation() throws {
        let token = CancelToken()
        let stopped = try Session(model: mixed.model, threadCount: 1, passTokenCount: 0, cancelToken: token)
        #expect(try stopped.embeddings(mixed.rows).allSatisfy { $0.isFinite })
        token.cancel()
        expect(.cancelled, "cancel token") { _ = try stopped.embeddings(mixed.rows) }
        #expect(try session.embeddings(mixed.rows).allSatisfy { $0.isFinite })
    }
}
