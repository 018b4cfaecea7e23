import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// An update is by the mean over all that counts in its step, however its rows are cut into
/// batches; what does not count is as if it were not there.
@Suite struct AccumulationTests {
    private let fixture: TrainingFixture
    private let language: Model

    init() throws {
        fixture = try TrainingFixture(rows: 24, changing: Goldens.withoutDropout)
        language = try Architectures.load(path: Goldens.path("llama-tiny/everything"), precision: .float32)
    }

    /// What is trained: rows, weighted rows with smoothed labels, or tokens.
    enum Kind: CaseIterable { case rows, weights, tokens }

    /// Eight rows of one to twelve tokens; in the first and the sixth none has a label that counts.
    private func rows(_ kind: Kind) -> RowBatch {
        guard kind == .tokens else { return Self.part(fixture.dataset, 0..<8) }
        var random = RandomNumbers(seed: 5, stream: "uneven rows")
        var batch = RowBatch()
        for row in 0..<8 {
            let tokens = (0..<[1, 12, 3, 2, 9, 6, 4, 7][row]).map { _ in Int32(1 + random.below(109)) }
            batch.append(tokens: tokens, types: nil as [Int32]?)
            batch[.tokenLabels] += tokens.map { row == 5 || random.below(3) == 0 ? -100 : $0 }
        }
        return batch
    }

    private static func part(_ rows: RowBatch, _ range: some Sequence<Int>) -> RowBatch {
        var batch = RowBatch()
        for row in range { batch.append(row: row, of: rows) }
        return batch
    }

    private func trainer(
        _ kind: Kind, batches: Int, _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer {
        let options = TrainingFixture.options {
            $0.batchesPerStep = batches
            // One plain step moves each number by its gradient.
            $0.optimizer = NamedChoice("sgd", ["momentum": 0])
            $0.learningRate = 1
            $0.schedule = TrainingFixture.constant
            if kind == .weights { ($0.classWeights, $0.labelSmoothing) = ([0.25, 3, 1], 0.2) }
            change(&$0)
        }
        guard kind == .tokens else { return try Trainer(adapter: try fixture.adapter(dropout: 0), options: options) }
        let adapter = try Adapter(
            model: language, method: "lora",
            config: "{\"task_type\": \"CAUSAL_LM\", \"init_lora_weights\": false, \"target_modules\": \"all-linear\"}",
            seed: 7)
        return try Trainer(adapter: adapter, options: options)
    }

    @Test(
        "Eight uneven rows in one batch, in eight, or cut otherwise are one update", arguments: Kind.allCases,
        [0, 0.01])
    func cuts(kind: Kind, clipping: Float) throws {
        let rows = rows(kind)
        func step(_ cuts: [Int]) throws -> (values: [Float], metrics: Metrics) {
            let trainer = try trainer(kind, batches: cuts.count) { $0.maximumGradientNorm = clipping }
            var first = 0
            var metrics = Metrics()
            for (index, count) in cuts.enumerated() {
                metrics = try trainer.step(Self.part(rows, first..<first + count))
                #expect(trainer.progress.step == (index == cuts.count - 1 ? 1 : 0))
                first += count
            }
            return (trainer.values, metrics)
        }
        let start = try trainer(kind, batches: 1).values
        let whole = try step([8])
        #expect(Goldens.difference(whole.values, start) > (clipping == 0 ? 1e-3 : 1e-4), "the step moves something")
        for cuts in [[1, 1, 1, 1, 1, 1, 1, 1], [5, 3], [1, 7], [3, 1, 2, 2]] {
            let (values, metrics) = try step(cuts)
            let difference = Goldens.difference(values, whole.values)
            #expect(difference < 2e-6, "\(cuts): \(difference)")
            #expect(abs(metrics.loss - whole.metrics.loss) < 1e-6)
            #expect(abs(metrics.gradientNorm - whole.metrics.gradientNorm) < 1e-5 * whole.metrics.gradientNorm)
            #expect(metrics.rowCount == 8 && metrics.tokenCount == rows.tokenCount)
        }
    }

    @Test(
        "The gradients that wait are of the mean, and AdamW takes them as those of one batch", arguments: Kind.allCases)
    func adam(kind: Kind) throws {
        let rows = rows(kind)
        func trained(_ cuts: [Range<Int>]) throws -> Trainer {
            let trainer = try trainer(kind, batches: cuts.count) {
                // With a larger epsilon, the rounding of the smallest gradients does not show.
                $0.optimizer = NamedChoice("adamw", ["epsilon": 1e-3, "weight_decay": 0.1])
                $0.learningRate = 1e-3
            }
            for _ in 0..<4 { for cut in cuts { _ = try trainer.step(Self.part(rows, cut)) } }
            #expect(trainer.progress.step == 4)
            return trainer
        }
        let (one, three) = (try trained([0..<8]), try trained([0..<1, 1..<3, 3..<8]))
        #expect(Goldens.difference(one.values, three.values) < 2e-6)
    }

    @Test("Rows that count for nothing change no bit of a training", arguments: [Kind.weights, .tokens])
    func nothingInFit(kind: Kind) throws {
        let rows = kind == .tokens ? rows(kind) : fixture.dataset
        func fit(_ rows: RowBatch) throws -> (values: [Float], steps: Int, losses: [Double]) {
            let trainer = try trainer(kind, batches: 2) {
                ($0.rowsPerBatch, $0.epochCount, $0.learningRate) = (1, 3, 0.05)
                if kind == .weights { $0.classWeights = [1, 0, 0.5] }
            }
            var losses: [Double] = []
            _ = try trainer.fit(rows, evaluation: nil) { metrics in
                losses.append(metrics.loss)
                #expect(metrics.step == losses.count)
                return true
            }
            return (trainer.values, trainer.progress.step, losses)
        }
        let counting =
            rows[.labels].isEmpty ? [1, 2, 3, 4, 6, 7] : (0..<rows.rowCount).filter { rows[.labels][$0] != 1 }
        #expect(counting.count < rows.rowCount)
        let (all, some) = (try fit(rows), try fit(Self.part(rows, counting)))
        #expect(bits(all.values) == bits(some.values))
        #expect(all.steps == 3 * ((counting.count + 1) / 2) && all.losses == some.losses)
        #expect(all.losses.allSatisfy { $0.isFinite })
    }

    @Test("A step in which nothing counts is none: neither adapter, moments nor schedule change", arguments: [1, 2])
    func emptySteps(batches: Int) throws {
        let rows = rows(.tokens)
        let trainer = try trainer(.tokens, batches: batches) { $0.optimizer = NamedChoice("adamw") }
        for _ in 0..<2 * batches { _ = try trainer.step(rows) }
        let (values, step) = (bits(trainer.values), trainer.progress.step)
        let moments = trainer.kept("second_moment")
        for _ in 0..<batches {
            let metrics = try trainer.step(Self.part(rows, [0, 5]))
            #expect(metrics.loss.isNaN && metrics.learningRate.isNaN && metrics.gradientNorm.isNaN)
            #expect(metrics.step == step)
        }
        #expect(bits(trainer.values) == values)
        #expect(trainer.kept("second_moment") == moments)
        #expect(trainer.waiting.batchCount == 0)
        for _ in 0..<batches { _ = try trainer.step(rows) }
        #expect(trainer.progress.step == step + 1 && bits(trainer.values) != values)
    }

    @Test(
        "A data set in which nothing counts is refused by name before the first step",
        arguments: [Kind.weights, .tokens])
    func nothingAtAll(kind: Kind) throws {
        let good = kind == .tokens ? rows(kind) : fixture.dataset
        let empty =
            kind == .tokens
            ? Self.part(good, [0, 5]) : Self.part(good, good[.labels].indices.filter { good[.labels][$0] == 1 })
        let trainer = try trainer(kind, batches: 1) {
            if kind == .weights { $0.classWeights = [1, 0, 0.5] }
        }
        let before = bits(trainer.values)
        for (training, evaluation, name) in [
            (empty, nil, "the training set"), (empty, good, "the training set"), (good, empty, "the evaluation set"),
        ] as [(RowBatch, RowBatch?, String)] {
            let error = #expect(throws: GraftError.self) {
                try trainer.fit(training, evaluation: evaluation) { _ in
                    Issue.record("a step was taken")
                    return true
                }
            }
            #expect(error?.code == .invalidArgument && error?.message.contains(name) == true, "\(error?.message ?? "")")
        }
        #expect(bits(trainer.values) == before)
        if kind == .tokens {
            let error = #expect(throws: GraftError.self) { try trainer.evaluate(empty) }
            #expect(error?.message.contains("nothing to measure") == true)
        } else {
            // Rows are classified right or wrong whatever their weight; their loss has no mean.
            let metrics = try trainer.evaluate(empty)
            #expect(metrics.value("loss").isNaN && !metrics.value("accuracy").isNaN)
        }
    }

    @Test("A row with something wrong is named before the first step, in either data set")
    func namedRows() throws {
        var wrongLabel = fixture.dataset
        wrongLabel[.labels][17] = 3
        var wrongToken = Self.part(fixture.dataset, 0..<20)
        wrongToken.append(tokens: [5, 7, 999], types: nil as [Int32]?)
        wrongToken[.labels].append(0)
        var tooLong = Self.part(fixture.dataset, 0..<11)
        tooLong.append(tokens: Array(repeating: 5, count: 65), types: nil as [Int32]?)
        tooLong[.labels].append(0)
        let trainer = try trainer(.rows, batches: 1)
        for (rows, words) in [
            (wrongLabel, "row 17 has label 3"), (wrongToken, "row 20, token 2: id 999"),
            (tooLong, "row 11 has 65 tokens"),
        ] {
            for (training, evaluation, name) in [
                (rows, nil, "the training set"), (fixture.dataset, rows, "the evaluation set"),
            ] as [(RowBatch, RowBatch?, String)] {
                let error = #expect(throws: GraftError.self) {
                    try trainer.fit(training, evaluation: evaluation) { _ in
                        Issue.record("a step was taken")
                        return true
                    }
                }
                #expect(error?.code == .incompatible)
                #expect(error?.message.hasPrefix("\(name): \(words)") == true, "\(error?.message ?? "")")
            }
        }
        var labels = rows(.tokens)
        labels[.tokenLabels][labels.range(ofRow: 4).lowerBound + 3] = 110
        let error = #expect(throws: GraftError.self) {
            try self.trainer(.tokens, batches: 1).fit(labels, evaluation: nil) { _ in true }
        }
        #expect(error?.message.contains("row 4, token 3: label 110") == true, "\(error?.message ?? "")")
    }

    @Test("A checkpoint between the batches of a step holds its sums: the same bits follow", arguments: Kind.allCases)
    func resumesWithinStep(kind: Kind) throws {
        let rows = rows(kind)
        let cuts = [0..<1, 1..<4, 4..<6, 6..<8]
        let whole = try trainer(kind, batches: 4)
        var expected = Metrics()
        for cut in cuts + cuts { expected = try whole.step(Self.part(rows, cut)) }
        for stop in 0...cuts.count {
            var trainer = try trainer(kind, batches: 4)
            var found = Metrics()
            for (index, cut) in (cuts + cuts).enumerated() {
                if index == stop {
                    let path = try Goldens.temporaryFolder() + "/checkpoint"
                    try trainer.save(to: path)
                    trainer = try self.trainer(kind, batches: 4)
                    try trainer.resume(from: path)
                }
                found = try trainer.step(Self.part(rows, cut))
            }
            #expect(bits(trainer.values) == bits(whole.values), "saved after \(stop) batches")
            #expect(found.loss == expected.loss && found.rowCount == 8)
        }
    }
}
