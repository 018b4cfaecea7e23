import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Training the vectors of rows; `TrainingGoldenTests` has the losses of sentence-transformers.
@Suite struct EmbeddingTests {
    private let fixture: TrainingFixture

    init() throws { fixture = try TrainingFixture(rows: 48) }

    private func adapter() throws -> Adapter {
        let adapter = try fixture.adapter()
        try adapter.set(.sentenceEmbedding)
        return adapter
    }

    /// Groups of so many rows, each with its target.
    private func rows(_ size: Int, of rows: RowBatch? = nil) -> RowBatch {
        var batch = rows ?? fixture.dataset
        let count = batch.rowCount
        batch.set(.groupPlaces, (0..<count).map { Int32($0 % size) })
        batch.set(Column(.targets, floats: (0..<count).map { Float($0 / size % 7) / 7 }))
        return batch
    }

    @Test("Every loss of vectors is tried")
    func lossesAreTried() throws {
        let ofVectors = try Losses.list.names.filter { try Losses.list.find(NamedChoice($0)).0 is any VectorLoss.Type }
        #expect(Set(ofVectors) == Set(Self.sizes.keys))
    }

    private static let sizes = ["in_batch_negatives": 4, "triplet": 3, "cosent": 2, "cosine_similarity": 2]

    private func trainer(
        _ loss: NamedChoice?, _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer {
        try Trainer(
            adapter: try adapter(),
            options: TrainingFixture.options {
                $0.loss = loss
                change(&$0)
            })
    }

    @Test(
        "A batch has the same loss and gradients in one pass and in many, with dropout",
        arguments: sizes.keys.sorted())
    func passes(loss: String) throws {
        let batch = rows(try #require(Self.sizes[loss]))
        let one = try trainer(NamedChoice(loss)).gradients(of: batch)
        let many = try trainer(NamedChoice(loss)) { $0.passTokenCount = 20 }.gradients(of: batch)
        #expect(abs(one.loss - many.loss) < 1e-6)
        #expect(Goldens.difference(one.gradients, many.gradients) < 1e-5)
        #expect(one.gradients.contains { $0 != 0 })
    }

    @Test("A small model's pass holds more where a second one costs another forward; what is said counts")
    func passSize() throws {
        #expect(try trainer(NamedChoice("cosent")).passTokenCount == 4096)
        #expect(try trainer(NamedChoice("cosent")) { $0.passTokenCount = 20 }.passTokenCount == 20)
        let apart = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options())
        #expect(apart.passTokenCount == 1024)
    }

    @Test("An evaluation's loss is the mean over batches as a training has them, in one pass and in many")
    func evaluated() throws {
        let batch = rows(2)
        let one = try trainer(NamedChoice("cosent")).evaluate(batch)
        let many = try trainer(NamedChoice("cosent")) { $0.passTokenCount = 20 }.evaluate(batch)
        #expect(one.values.map(\.value) == many.values.map(\.value))
        var sum = 0.0
        for first in stride(from: 0, to: batch.rowCount, by: 8) {
            var part = RowBatch()
            for row in first..<first + 8 { part.append(row: row, of: batch) }
            sum += try trainer(NamedChoice("cosent")).evaluate(part).value("loss") / 6
        }
        #expect(abs(one.value("loss") - sum) < 1e-9)
    }

    @Test("Positives are found among all rows that are no anchors, as in rankings that are given")
    func rankings() throws {
        let scores: [Float] = [0.3, 0.9, 0.3, -1, 0.3, 0.9]
        for relevant in scores.indices {
            for k in [1, 2, 3, 6, 10] {
                let relevance = scores.indices.map { $0 == relevant ? 1.0 : 0 }
                let long = relevance.withUnsafeBufferPointer { relevance in
                    scores.map(Double.init).withUnsafeBufferPointer { Rankings.measured(relevance, $0, k: k) }
                }
                let short = scores.withUnsafeBufferPointer { Rankings.measured(relevant: relevant, $0, k: k) }
                for (a, b) in zip(long, short) {
                    #expect(a.name == b.name && abs(a.value - b.value) < 1e-12, "\(a) \(b), \(relevant), k \(k)")
                }
            }
        }
    }

    @Test("Every batch has whole groups, and an epoch each group once", arguments: [false, true])
    func order(groupsByLength: Bool) {
        let batch = rows(3)
        let options = TrainingFixture.options { $0.groupsByLength = groupsByLength }
        let order = BatchOrder(batch, epoch: 1, options: options, hasGroups: true) { $0 % 3 == 0 }
        var seen: [[Int32]] = []
        var filled = RowBatch()
        for index in 0..<order.count {
            order.fill(&filled, index, from: batch)
            #expect(filled.rowCount == 6)
            #expect(filled.integers(.groupPlaces) == [0, 1, 2, 0, 1, 2])
            for first in [0, 3] { seen.append(Array(filled.tokens[filled.range(ofRow: first)])) }
        }
        let anchors = stride(from: 0, to: 48, by: 3).map { Array(batch.tokens[batch.range(ofRow: $0)]) }
        #expect(seen.map(\.description).sorted() == anchors.map(\.description).sorted())
        #expect(seen != anchors)
    }

    @Test("An adversarial step moves the rows of one pass; several are refused")
    func adversarial() throws {
        let batch = rows(2)
        let plain = try trainer(nil).gradients(of: batch)
        let moved = try trainer(nil) { $0.stepPlan = NamedChoice("fgm") }.gradients(of: batch)
        #expect(moved.loss == plain.loss)
        #expect(Goldens.difference(moved.gradients, plain.gradients.map { 2 * $0 }) > 1e-3)
        let error = #expect(throws: GraftError.self) {
            try trainer(nil) {
                $0.stepPlan = NamedChoice("fgm")
                $0.passTokenCount = 20
            }.gradients(of: batch)
        }
        #expect(error?.code == .unsupported && error?.message.contains("pass_token_count") == true)
    }

    @Test("A saved adapter is for the task when it is read again; without its metadata PEFT's is for none")
    func saved() throws {
        let folder = try Goldens.temporaryFolder() + "/adapter"
        let adapter = try adapter()
        try adapter.save(to: folder)
        #expect(try Adapter(model: fixture.model, path: folder).content.task == .sentenceEmbedding)
        let config = try JSON(contentsOf: folder + "/adapter_config.json")
        #expect(try config.string("task_type") == "FEATURE_EXTRACTION")
        try adapter.set(nil)
        try adapter.save(to: folder)
        #expect(try Adapter(model: fixture.model, path: folder).content.task == nil)
    }

    @Test("Whole training finds more positives than before")
    func learns() throws {
        let batch = rows(2)
        let trainer = try trainer(nil) {
            $0.metric = "mrr"
            $0.epochCount = 30
        }
        let before = try trainer.evaluate(batch)
        _ = try trainer.fit(batch, evaluation: batch) { _ in true }
        let after = try trainer.evaluate(batch)
        #expect(after.value("loss") < 0.9 * before.value("loss"))
        #expect(after.value("mrr") > before.value("mrr"))
        #expect(after.value("recall_at_k") >= after.value("mrr"))
    }

    @Test("What a loss cannot take is refused by name and place")
    func refused() throws {
        func message(_ loss: NamedChoice?, _ batch: RowBatch) throws -> String {
            let error = #expect(throws: GraftError.self) { try trainer(loss).step(batch) }
            return error?.message ?? ""
        }
        #expect(try message(nil, fixture.dataset).contains("the rows have no group_places"))
        #expect(try message(NamedChoice("triplet"), rows(2)).contains("the group of row 0 has 2 rows"))
        #expect(
            try message(nil, rows(1)).contains(
                "the group of row 0 has 1 rows; loss in_batch_negatives expects 2 or more"))
        var batch = rows(2)
        batch.set(.groupPlaces, (0..<48).map { Int32($0 % 2 + ($0 == 5 ? 1 : 0)) })
        #expect(try message(nil, batch).contains("row 5 has place 2 in its group; expected 1, or 0 to begin a group"))
        batch.set(.groupPlaces, (0..<48).map { Int32(1 - $0 % 2) })
        #expect(try message(nil, batch).contains("row 0 has place 1"))
        batch.set(.groupPlaces, (0..<48).map { Int32($0 % 2 - ($0 == 7 ? 9 : 0)) })
        #expect(try message(nil, batch).contains("row 7 has place -8"))
        batch = rows(2)
        batch.set(Column(.targets, floats: (0..<48).map { $0 == 9 ? .nan : 0 }))
        #expect(try message(NamedChoice("cosent"), batch).contains("row 9 has target nan"))
        batch.set(Column(.targets, floats: (0..<48).map { $0 == 9 ? 1 : 0 }))
        #expect(try message(NamedChoice("cosent"), batch).contains("rows 8 and 9 are a pair with targets 0.0 and 1.0"))

        let choices: [(String, NamedChoice)] = [
            ("loss \"x\"; this build has in_batch_negatives", NamedChoice("x")),
            ("dimensions has 33", NamedChoice("cosent", ["dimensions": [8, 33]])),
            ("dimensions", NamedChoice("cosent", ["dimensions": [0]])),
            ("\"euclidean\" or \"cosine\", found", NamedChoice("triplet", ["distance": "far"])),
            ("temperature", NamedChoice("in_batch_negatives", ["temperature": 0])),
        ]
        for (expected, choice) in choices {
            let error = #expect(throws: GraftError.self) { try trainer(choice) }
            #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
        }
        let settings = #expect(throws: GraftError.self) { try trainer(nil) { $0.labelSmoothing = 0.1 } }
        #expect(settings?.message.contains("label_smoothing is for tasks that choose") == true)
        let other = #expect(throws: GraftError.self) {
            try Trainer(
                adapter: try fixture.adapter(), options: TrainingFixture.options { $0.loss = NamedChoice("cosent") })
        }
        #expect(other?.message.contains("the task sequence_classification has one loss") == true)
    }
}
