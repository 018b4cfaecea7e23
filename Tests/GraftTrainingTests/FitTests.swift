import GraftAdapters
import GraftFormats
import GraftLayers
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// What a whole training must be, whatever it learns.
@Suite struct FitTests {
    @Test("Training learns: the loss falls and the rows it has seen are told apart")
    func learns() throws {
        let fixture = try TrainingFixture(rows: 120)
        let options = TrainingFixture.options {
            $0.epochCount = 25
            $0.learningRate = 1e-2
        }
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
        let before = try trainer.evaluate(fixture.dataset)
        _ = try trainer.fit(fixture.dataset, evaluation: nil) { _ in true }
        let after = try trainer.evaluate(fixture.dataset)
        #expect(after.value("loss") < 0.5 * before.value("loss"), "\(before.value("loss")) to \(after.value("loss"))")
        #expect(after.value("accuracy") > 0.9, "\(before.value("accuracy")) to \(after.value("accuracy"))")
    }

    @Test(
        "Training has the same bits on 1, 2, 3 and 8 threads, with dropout", arguments: [Precision.float32, .bfloat16])
    func threads(precision: Precision) throws {
        let fixture = try TrainingFixture(precision: precision)
        let one = bits(try fixture.fitted(TrainingFixture.options()))
        for threads in [2, 3, 8] {
            let values = try fixture.fitted(TrainingFixture.options { $0.threadCount = threads })
            #expect(bits(values) == one, "\(threads) threads")
        }
    }

    @Test("A checkpoint that could not be written is refused before the first step, and nothing is left behind")
    func unwritableCheckpoint() throws {
        let fixture = try TrainingFixture()
        let folder = try Goldens.temporaryFolder()
        let trained = try fixture.adapter()
        try trained.save(to: folder + "/adapter")
        for path in ["/adapter/adapter_config.json", "/adapter/adapter_config.json/x", "/../../../proc/graft/x"] {
            let options = TrainingFixture.options { $0.checkpointPath = folder + path }
            let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
            let error = #expect(throws: GraftError.self) {
                try trainer.fit(fixture.dataset, evaluation: nil) { _ in
                    Issue.record("a step was made for \(path)")
                    return false
                }
            }
            #expect([.io, .notFound].contains(error?.code), "\(error?.message ?? "")")
        }
        // Where it can be, missing folders above are made.
        let path = folder + "/runs/1"
        let options = TrainingFixture.options { $0.checkpointPath = path }
        _ = try Trainer(adapter: try fixture.adapter(), options: options).fit(fixture.dataset, evaluation: nil) { _ in
            true
        }
        #expect(FileKind.of(path + "/trainer.safetensors") == .file)
    }

    @Test("The seed chooses the order and the dropout; the same seed gives the same bits")
    func seeds() throws {
        let fixture = try TrainingFixture()
        let first = bits(try fixture.fitted(TrainingFixture.options()))
        #expect(bits(try fixture.fitted(TrainingFixture.options())) == first)
        #expect(bits(try fixture.fitted(TrainingFixture.options { $0.seed = 12 })) != first)
    }

    @Test("The size of a pass changes results by rounding only, with dropout")
    func passSize() throws {
        let fixture = try TrainingFixture()
        // Adam divides by the size of a gradient, which would make much of the rounding of the
        // smallest ones.
        func options(_ tokens: Int) -> TrainerOptions {
            TrainingFixture.options {
                $0.passTokenCount = tokens
                $0.optimizer = NamedChoice("sgd")
            }
        }
        let whole = try fixture.fitted(options(1 << 20))
        for tokens in [1, 20, 50] {
            let difference = Goldens.difference(try fixture.fitted(options(tokens)), whole)
            #expect(difference < 1e-5, "\(tokens) tokens: \(difference)")
        }
    }

    @Test("fit accumulates as the caller's loop does, and the last step of an epoch takes the batches that are left")
    func fitAccumulates() throws {
        let fixture = try TrainingFixture(rows: 50, changing: Goldens.withoutDropout)
        let options = TrainingFixture.options {
            $0.batchesPerStep = 3
            $0.epochCount = 1
        }
        let trainer = try Trainer(adapter: try fixture.adapter(dropout: 0), options: options)
        var steps: [(rows: Int, total: Int)] = []
        _ = try trainer.fit(fixture.dataset, evaluation: nil) {
            steps.append(($0.rowCount, $0.totalSteps))
            return true
        }
        // Seven batches of 8 rows, the last of 2: three, three and one; the short one may come
        // anywhere.
        #expect(steps.count == 3)
        #expect(steps.map(\.rows).reduce(0, +) == 50)
        #expect(steps.allSatisfy { $0.total == 3 })
        let order = BatchOrder(fixture.dataset, epoch: 0, options: options)
        let loop = try Trainer(
            adapter: try fixture.adapter(dropout: 0),
            options: TrainingFixture.options {
                $0.batchesPerStep = 3
                $0.totalSteps = 3
            })
        var batch = RowBatch()
        for index in 0..<6 {
            order.fill(&batch, index, from: fixture.dataset)
            _ = try loop.step(batch)
        }
        order.fill(&batch, 6, from: fixture.dataset)
        var metrics = try loop.accumulate(batch)
        try loop.update(&metrics)
        #expect(bits(loop.values) == bits(trainer.values))
    }

    @Test("Patience without rows to evaluate on is refused")
    func patienceAlone() throws {
        let fixture = try TrainingFixture(rows: 9)
        let trainer = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options { $0.patience = 2 })
        let error = #expect(throws: GraftError.self) {
            try trainer.fit(fixture.dataset, evaluation: nil) { _ in true }
        }
        #expect(error?.code == .invalidArgument && error?.message.contains("patience") == true)
    }

    @Test("Training stops when the metric no longer gains, and the best weights come back")
    func earlyStopping() throws {
        let fixture = try TrainingFixture()
        // Steps this long find a good place at times and leave it again.
        let options = TrainingFixture.options {
            $0.learningRate = 0.05
            $0.schedule = NamedChoice("constant")
            $0.evaluationSteps = 2
            $0.patience = 4
            $0.epochCount = 100
        }
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
        var evaluations: [(loss: Double, values: [Float])] = []
        let result = try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) {
            if $0.evaluation != nil { evaluations.append(($0.loss, trainer.values)) }
            return true
        }
        let best = try #require(evaluations.indices.min { evaluations[$0].loss < evaluations[$1].loss })
        #expect(best > 0, "the best evaluation should not be the first one")
        #expect(evaluations.count == best + 1 + options.patience)
        #expect(result.loss == evaluations[best].loss)
        #expect(result.evaluation != nil)
        #expect(bits(trainer.values) == bits(evaluations[best].values))
        #expect(try trainer.evaluate(fixture.evaluation).value("loss") == result.loss)
    }

    @Test("Each metric chooses its own best evaluation", arguments: ["accuracy", "macro_f1", "mcc"])
    func metrics(metric: String) throws {
        let fixture = try TrainingFixture()
        let options = TrainingFixture.options {
            $0.learningRate = 0.02
            $0.evaluationSteps = 1
            $0.epochCount = 4
            $0.metric = metric
        }
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
        var measures: [Double] = []
        let result = try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) {
            if let evaluation = $0.evaluation { measures.append(evaluation.value(metric)) }
            return true
        }
        #expect(result.evaluation?.value(metric) == measures.max())
        #expect(Set(measures).count > 2)
    }

    @Test("Every number is better than a measure that is none")
    func notANumber() {
        #expect(Trainer.is(0.1, above: .nan))
        #expect(!Trainer.is(.nan, above: 0.1))
        #expect(!Trainer.is(.nan, above: .nan))
        #expect(!Trainer.is(0.1, above: 0.1))
    }

    @Test("Without an evaluation set the result is the last step's, and nothing is brought back")
    func withoutEvaluation() throws {
        let fixture = try TrainingFixture()
        let trainer = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options())
        var last = Metrics()
        var values: [Float] = []
        let result = try trainer.fit(fixture.dataset, evaluation: nil) {
            last = $0
            values = trainer.values
            return true
        }
        #expect(result.loss == last.loss)
        #expect(result.step == 14)
        #expect(result.step == result.totalSteps)
        #expect(result.evaluation == nil)
        #expect(bits(trainer.values) == bits(values))
    }

    @Test("total_steps ends training in the middle of an epoch")
    func totalSteps() throws {
        let fixture = try TrainingFixture()
        for total in [1, 5, 17] {
            let options = TrainingFixture.options { $0.totalSteps = total }
            let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
            #expect(try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }.step <= total)
            #expect(trainer.progress.step == total)
        }
    }

    @Test("The base model's checksum is the same after every kind of use")
    func baseIsFrozen() throws {
        let fixture = try TrainingFixture()
        let before = fixture.model.source.checksum
        let adapter = try Adapter(
            model: fixture.model, method: "lora",
            config: "{\"target_modules\": \"all-linear\", \"bias\": \"all\", \"modules_to_save\": [\"pooler\"]}",
            seed: 1)
        try adapter.set(
            .sequenceClassification, HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: true))
        let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options { $0.threadCount = 2 })
        let start = trainer.values
        _ = try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }
        #expect(bits(trainer.values) != bits(start))
        #expect(fixture.model.source.checksum == before)
    }

    @Test("Evaluating changes nothing and counts what it says")
    func evaluation() throws {
        let fixture = try TrainingFixture()
        let trainer = try Trainer(adapter: try fixture.adapter(), options: TrainingFixture.options())
        let before = bits(trainer.values)
        let evaluation = try trainer.evaluate(fixture.evaluation)
        var counts: [Int64] = Array(repeating: 0, count: 9)
        counts.withUnsafeMutableBufferPointer { evaluation.count(into: $0) }
        #expect(bits(trainer.values) == before)
        #expect(trainer.gradients.allSatisfy { $0 == 0 })
        #expect(evaluation.rowCount == 30)
        #expect(counts.reduce(0, +) == 30)
        for label in 0..<3 {
            let row = counts[label * 3..<label * 3 + 3].reduce(0, +)
            #expect(Int(row) == fixture.evaluation[.labels].count { $0 == Int32(label) })
        }
        #expect(evaluation.value("accuracy") == Double(counts[0] + counts[4] + counts[8]) / 30)
        #expect(evaluation.value("learning_rate").isNaN)
    }
}
