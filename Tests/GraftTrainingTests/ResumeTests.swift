import GraftAdapters
import GraftLayers
import GraftTensor
import GraftTestSupport
import Glibc
import Testing

@testable import GraftFormats
@testable import GraftTraining

/// A run that was stopped anywhere ends with the bits of one that was not.
@Suite struct ResumeTests {
    static let plans: [(name: String, change: @Sendable (inout TrainerOptions) -> Void)] = [
        ("a checkpoint each step", { $0.checkpointSteps = 1 }),
        (
            "a checkpoint each third step, evaluation each second",
            {
                $0.checkpointSteps = 3; $0.evaluationSteps = 2
            }
        ),
        ("a checkpoint and an evaluation each epoch", { _ in }),
        (
            "accumulated batches",
            {
                $0.checkpointSteps = 1; $0.batchesPerStep = 3; $0.evaluationSteps = 1
            }
        ),
        (
            "stopping early",
            {
                $0.checkpointSteps = 1; $0.evaluationSteps = 1; $0.patience = 2; $0.learningRate = 0.05;
                $0.epochCount = 9
            }
        ),
        (
            "SGD, a cosine and a warm-up",
            {
                $0.checkpointSteps = 2; $0.optimizer = NamedChoice("sgd", ["l2": 0.01])
                $0.schedule = NamedChoice("cosine", ["warmup_steps": 4])
            }
        ),
        (
            "Adagrad whose sums do not begin at zero",
            {
                $0.checkpointSteps = 2; $0.optimizer = NamedChoice("adagrad", ["initial_accumulator_value": 0.1])
                $0.schedule = NamedChoice("inverse_sqrt")
            }
        ),
        (
            "a head that learns faster",
            {
                $0.checkpointSteps = 2; $0.optimizer = NamedChoice("adamw", ["head_lr_ratio": 20])
            }
        ),
        (
            "SGD, which keeps nothing",
            {
                $0.checkpointSteps = 1; $0.optimizer = NamedChoice("sgd", ["momentum": 0, "l2": 0.01])
                $0.schedule = NamedChoice("polynomial", ["power": 2])
            }
        ),
    ]

    private func options(_ plan: Int, _ path: String?) -> TrainerOptions {
        TrainingFixture.options {
            Self.plans[plan].change(&$0)
            $0.checkpointPath = path
        }
    }

    /// Everything of a result but how fast it came.
    private func describe(_ metrics: Metrics) -> [Double] {
        [metrics.loss, metrics.evaluation?.value("macro_f1") ?? .nan, Double(metrics.step), Double(metrics.epoch)]
    }

    /// Runs to the report after which `stops` says so; nil when it was stopped.
    private func run(
        _ trainer: Trainer, _ fixture: TrainingFixture, stopAt report: Int
    ) throws -> Metrics? {
        var count = 0
        do throws(GraftError) {
            return try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in
                count += 1
                return count != report
            }
        } catch {
            #expect(error.code == .cancelled)
            return nil
        }
    }

    @Test(
        "Stopped after any report and resumed by another trainer, a run ends with the same bits",
        arguments: plans.indices)
    func byAnother(plan: Int) throws {
        let fixture = try TrainingFixture()
        let whole = try Trainer(adapter: try fixture.adapter(), options: options(plan, nil))
        var reports = 0
        let expected = try whole.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in
            reports += 1
            return true
        }
        #expect(reports > 5)
        for stop in 1...reports {
            let path = try Goldens.temporaryFolder() + "/checkpoint"
            let first = try Trainer(adapter: try fixture.adapter(), options: options(plan, path))
            #expect(try run(first, fixture, stopAt: stop) == nil)
            // Where there is a checkpoint, the resuming adapter's own numbers must not matter.
            let seed: UInt64 = try Checkpoint.find(at: path) ? 99 : 3
            let second = try Trainer(adapter: try fixture.adapter(seed: seed), options: options(plan, path))
            let result = try #require(try run(second, fixture, stopAt: -1))
            #expect(bits(second.values) == bits(whole.values), "\(Self.plans[plan].name), stopped at report \(stop)")
            #expect(describe(result) == describe(expected))
            #expect(bits(second.bestNumbers) == bits(whole.bestNumbers))
        }
    }

    @Test(
        "Whatever the optimizer and the schedule, a run that was stopped ends with the same bits",
        arguments: Optimizers.list.names, Schedules.list.names)
    func everyChoice(optimizer: String, schedule: String) throws {
        let fixture = try TrainingFixture()
        func options(_ path: String?) -> TrainerOptions {
            TrainingFixture.options {
                $0.optimizer = NamedChoice(optimizer)
                $0.schedule = NamedChoice(schedule)
                ($0.checkpointPath, $0.checkpointSteps) = (path, 3)
            }
        }
        let whole = try fixture.fitted(options(nil))
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        let first = try Trainer(adapter: try fixture.adapter(), options: options(path))
        #expect(try run(first, fixture, stopAt: 9) == nil)
        let second = try Trainer(adapter: try fixture.adapter(seed: 99), options: options(path))
        _ = try #require(try run(second, fixture, stopAt: -1))
        #expect(bits(second.values) == bits(whole))
    }

    @Test(
        "Stopped after every single report, in one trainer and without a checkpoint, it ends with the same bits",
        arguments: plans.indices)
    func bySame(plan: Int) throws {
        let fixture = try TrainingFixture()
        let whole = try Trainer(adapter: try fixture.adapter(), options: options(plan, nil))
        let expected = try whole.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options(plan, nil))
        var result: Metrics?
        var calls = 0
        while result == nil, calls < 500 {
            result = try run(trainer, fixture, stopAt: 1)
            calls += 1
        }
        #expect(calls > 6)
        #expect(bits(trainer.values) == bits(whole.values))
        #expect(describe(try #require(result)) == describe(expected))
    }

    @Test("Saved by hand after a stop, and resumed by hand, a run ends with the same bits", arguments: plans.indices)
    func byHand(plan: Int) throws {
        let fixture = try TrainingFixture()
        let whole = try Trainer(adapter: try fixture.adapter(), options: options(plan, nil))
        var reports = 0
        _ = try whole.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in
            reports += 1
            return true
        }
        for stop in [1, 2, reports / 2, reports - 1, reports] {
            let path = try Goldens.temporaryFolder() + "/checkpoint"
            let first = try Trainer(adapter: try fixture.adapter(), options: options(plan, nil))
            #expect(try run(first, fixture, stopAt: stop) == nil)
            try first.save(to: path)
            let second = try Trainer(adapter: try fixture.adapter(seed: 99), options: options(plan, nil))
            try second.resume(from: path)
            _ = try #require(try run(second, fixture, stopAt: -1))
            #expect(bits(second.values) == bits(whole.values), "stopped at report \(stop)")
        }
    }

    @Test("The caller's own loop resumes between the batches of a step, too")
    func callersLoop() throws {
        let fixture = try TrainingFixture()
        let options = TrainingFixture.options { $0.batchesPerStep = 3 }
        let order = BatchOrder(fixture.dataset, epoch: 0, options: options)
        var batch = RowBatch()
        let whole = try Trainer(adapter: try fixture.adapter(), options: options)
        for index in 0..<6 {
            order.fill(&batch, index, from: fixture.dataset)
            _ = try whole.step(batch)
        }
        for stop in 0...6 {
            var trainer = try Trainer(adapter: try fixture.adapter(), options: options)
            for index in 0..<6 {
                if index == stop {
                    let path = try Goldens.temporaryFolder() + "/checkpoint"
                    try trainer.save(to: path)
                    trainer = try Trainer(adapter: try fixture.adapter(seed: 99), options: options)
                    try trainer.resume(from: path)
                }
                order.fill(&batch, index, from: fixture.dataset)
                _ = try trainer.step(batch)
            }
            #expect(bits(trainer.values) == bits(whole.values), "saved after \(stop) batches")
        }
    }

    @Test("A run that had ended is not trained again")
    func finished() throws {
        let fixture = try TrainingFixture()
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        let first = try Trainer(adapter: try fixture.adapter(), options: options(0, path))
        let result = try first.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }
        let second = try Trainer(adapter: try fixture.adapter(seed: 99), options: options(0, path))
        let again = try second.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in
            Issue.record("no step is left to report")
            return true
        }
        #expect(describe(again) == describe(result))
        #expect(bits(second.values) == bits(first.values))
        // The checkpoint is an adapter folder as well.
        let adapter = try Adapter(model: fixture.model, path: path)
        #expect(adapter.content.plan.tensors.map(\.name) == first.content.plan.tensors.map(\.name))
        let loaded = try Trainer(adapter: adapter, options: TrainingFixture.options())
        #expect(bits(loaded.values) == bits(first.values))
    }

    @Test("A checkpoint of other options, another adapter, other data or another version is refused; nothing changes")
    func refused() throws {
        let fixture = try TrainingFixture()
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        let first = try Trainer(adapter: try fixture.adapter(), options: options(0, path))
        #expect(try run(first, fixture, stopAt: 4) == nil)

        func expect(
            _ code: GraftError.Code, _ words: String, _ adapter: Adapter, _ options: TrainerOptions,
            data: RowBatch? = nil
        ) throws {
            let trainer = try Trainer(adapter: adapter, options: options)
            let before = bits(trainer.values)
            let error = #expect(throws: GraftError.self) {
                try trainer.fit(data ?? fixture.dataset, evaluation: fixture.evaluation) { _ in true }
            }
            #expect(error?.code == code)
            #expect(error?.message.contains(words) ?? false, "\(error?.message ?? "")")
            if data == nil { #expect(bits(trainer.values) == before) }
        }
        var other = options(0, path)
        other.learningRate *= 2
        try expect(
            .incompatible, "learning_rate 0.005; this trainer has 0.01", try fixture.adapter(), other)
        for (change, words) in [
            ({ $0.optimizer = NamedChoice("adam") }, "optimizer adamw; this trainer has adam"),
            (
                { $0.optimizer = NamedChoice("adamw", ["beta1": 0.8]) },
                "optimizer_settings.beta1 0.9; this trainer has 0.8"
            ),
            ({ $0.schedule = NamedChoice("cosine") }, "schedule linear; this trainer has cosine"),
            (
                { $0.schedule = NamedChoice("linear", ["warmup_steps": 7]) },
                "schedule_settings.warmup_steps 0; this trainer has 7"
            ),
            ({ $0.seed = 12 }, "seed 11; this trainer has 12"),
        ] as [((inout TrainerOptions) -> Void, String)] {
            other = options(0, path)
            change(&other)
            try expect(.incompatible, words, try fixture.adapter(), other)
        }
        // Settings that were given as they are by default are the same.
        other = options(0, path)
        other.optimizer = NamedChoice("adamw", ["weight_decay": 0.010, "beta1": 0.9, "epsilon": nil])
        try Trainer(adapter: try fixture.adapter(), options: other).resume(from: path)
        // Other arithmetic under the same tensors.
        for (settings, words) in [
            ("\"lora_alpha\": 64", "setting {\"lora_alpha\": 8.0}, here {\"lora_alpha\": 64.0}"),
            ("\"use_rslora\": true", "use_rslora"), ("\"target_modules\": [\"key\"]", "target_modules"),
            ("\"alpha_pattern\": {\"query\": 3}", "alpha_pattern"),
            ("\"modules_to_save\": [\"pooler\", \"classifier\", \"score\"]", "modules_to_save"),
        ] {
            try expect(.incompatible, words, try fixture.adapter(settings: ", \(settings)"), options(0, path))
        }
        try expect(.incompatible, "lora_dropout", try fixture.adapter(dropout: 0.5), options(0, path))
        for (head, words) in [
            (HeadSettings(labels: ["b", "a", "c"], dropout: nil, trainsDense: false), "labels [\"a\", \"b\", \"c\"]"),
            (HeadSettings(labels: ["a", "b", "c"], dropout: 0.7, trainsDense: false), "head_dropout 0.1"),
            (
                HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: false, pooling: .mean),
                "modules_to_save"
            ),
        ] {
            let adapter = try fixture.adapter()
            try adapter.set(.sequenceClassification, head)
            try expect(.incompatible, words, adapter, options(0, path))
        }
        try expect(.incompatible, "other data", try fixture.adapter(), options(0, path), data: fixture.evaluation)
        var relabelled = fixture.dataset
        relabelled[.labels][0] = (relabelled[.labels][0] + 1) % 3
        try expect(.incompatible, "other data", try fixture.adapter(), options(0, path), data: relabelled)
        try expect(
            .incompatible, "another precision than bfloat16", try TrainingFixture(precision: .bfloat16).adapter(),
            options(0, path))
        // The same model but for the sign of one number.
        let folder = try Goldens.temporaryFolder()
        var files = try ["config.json", "model.safetensors"].map {
            try MappedFile.contents(of: fixture.model.source.path + "/" + $0)
        }
        files[1][files[1].count - 1] ^= 0x80
        try AtomicFile.write(files[0], to: folder + "/config.json")
        try AtomicFile.write(files[1], to: folder + "/model.safetensors")
        try expect(
            .incompatible, "other base weights", try TrainingFixture(folder: folder).adapter(), options(0, path))
        // Threads are not part of what a result depends on.
        var threads = options(0, path)
        threads.threadCount = 3
        let resumed = try Trainer(adapter: try fixture.adapter(), options: threads)
        _ = try resumed.fit(fixture.dataset, evaluation: fixture.evaluation) { _ in true }
    }

    @Test("A checkpoint that was written before there was a setting has its default")
    func unrecordedSetting() throws {
        let fixture = try TrainingFixture()
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        let first = try Trainer(adapter: try fixture.adapter(), options: options(0, path))
        #expect(try run(first, fixture, stopAt: 4) == nil)
        let file = path + "/" + Checkpoint.fileName
        var bytes = try MappedFile.contents(of: file)
        let (name, other) = (Array("head_lr_ratio".utf8), Array("x".utf8))
        let place = try #require(
            bytes.indices.first { bytes[$0...].starts(with: name) }, "the settings are recorded by name")
        bytes.replaceSubrange(place..<place + 1, with: other)
        try AtomicFile.write(bytes, to: file)

        var options = options(0, path)
        try Trainer(adapter: try fixture.adapter(), options: options).resume(from: path)
        options.optimizer = NamedChoice("adamw", ["head_lr_ratio": 2])
        let error = #expect(throws: GraftError.self) {
            try Trainer(adapter: try fixture.adapter(), options: options).resume(from: path)
        }
        #expect(error?.message.hasSuffix("optimizer_settings.head_lr_ratio 1.0; this trainer has 2.0") == true)
    }

    @Test("A checkpoint with numbers that no training reaches is refused, whichever it is")
    func absurdNumbers() throws {
        let fixture = try TrainingFixture(rows: 9)
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        let options = options(0, path)
        let first = try Trainer(adapter: try fixture.adapter(), options: options)
        #expect(try run(first, fixture, stopAt: 2) == nil)
        let file = path + "/" + Checkpoint.fileName
        let good = try MappedFile.contents(of: file)
        let checkpoint = try SafetensorsFile(path: file)
        let state = try JSON(parsing: try #require(checkpoint.metadata[Checkpoint.stateKey]), source: "state")
        var changed = 0
        for section in ["progress", "waiting"] {
            for (key, value) in try state.object(section) where value.intValue != nil || value.stringValue != nil {
                for number in [Int.min, -1, 1 << 40, .max] {
                    var numbers = try state.object(section)
                    numbers[key] = .integer(number)
                    var object = try state.requireObject()
                    object[section] = .object(numbers)
                    try write(checkpoint.tensors, .object(object), to: file)
                    changed += 1
                    let trainer = try Trainer(adapter: try fixture.adapter(), options: options)
                    do throws(GraftError) {
                        _ = try trainer.fit(fixture.dataset, evaluation: nil) { $0.step < 20 }
                    } catch {
                        #expect(
                            [.corruptFile, .incompatible, .unsupported, .cancelled].contains(error.code),
                            "\(section).\(key) is \(number): \(error)")
                    }
                }
            }
        }
        #expect(changed == 4 * 11)
        for version in [0, Checkpoint.version - 1, Checkpoint.version + 1] {
            var object = try state.requireObject()
            object["version"] = .integer(version)
            try write(checkpoint.tensors, .object(object), to: file)
            let error = #expect(throws: GraftError.self) {
                try Trainer(adapter: try fixture.adapter(), options: options).resume(from: path)
            }
            #expect(error?.code == .unsupported && error?.message.contains("version \(version)") == true)
        }
        try AtomicFile.write(good, to: file)
        try Trainer(adapter: try fixture.adapter(), options: options).resume(from: path)
    }

    /// Writes a checkpoint's file with another state.
    private func write(_ tensors: [StoredTensor], _ state: JSON, to path: String) throws {
        let copies = tensors.map { tensor in (tensor, tensor.withBytes { Array($0) }) }
        var parts: [SafetensorsWriter.Tensor] = []
        let memory = try Memory(byteCount: copies.reduce(0) { $0 + $1.1.count })
        var offset = 0
        for (tensor, bytes) in copies {
            let place = UnsafeMutableRawBufferPointer(start: memory.base + offset, count: bytes.count)
            place.copyBytes(from: bytes)
            offset += bytes.count
            parts.append((tensor.name, tensor.elementType, tensor.shape, UnsafeRawBufferPointer(place)))
        }
        let writer = try SafetensorsWriter(tensors: parts, metadata: [(Checkpoint.stateKey, state.serialized())])
        try AtomicFile.write(to: path) { output throws(GraftError) in try writer.write(to: output) }
        withExtendedLifetime(memory) {}
    }

    @Test("A checkpoint cut anywhere is refused")
    func cut() throws {
        let fixture = try TrainingFixture(rows: 9)
        let path = try Goldens.temporaryFolder() + "/checkpoint"
        let first = try Trainer(adapter: try fixture.adapter(), options: options(0, path))
        #expect(try run(first, fixture, stopAt: 2) == nil)
        let file = path + "/" + Checkpoint.fileName
        let good = try MappedFile.contents(of: file)
        let trainer = try Trainer(adapter: try fixture.adapter(), options: options(0, path))
        let before = bits(trainer.values)
        for length in stride(from: 0, to: good.count, by: 211) {
            try AtomicFile.write(Array(good[..<length]), to: file)
            let error = #expect(throws: GraftError.self) { try trainer.resume(from: path) }
            #expect(error?.code == .corruptFile)
        }
        #expect(bits(trainer.values) == before)
    }

    @Test("What a killed writer left beside the checkpoint is gone after the next run")
    func leftovers() throws {
        let fixture = try TrainingFixture(rows: 9)
        let folder = try Goldens.temporaryFolder()
        let options = options(0, folder + "/checkpoint")
        let first = try Trainer(adapter: try fixture.adapter(), options: options)
        #expect(try run(first, fixture, stopAt: 2) == nil)
        let good = try #require(try FileSystem.names(in: folder).first)
        #expect(good == "checkpoint")
        // As a writer leaves it that is killed before it exchanges the folders.
        let prefix = FileSystem.temporaryPrefix(of: "checkpoint")
        #expect(mkdir(folder + "/\(prefix)abc", 0o700) == 0)
        try AtomicFile.write("half", to: folder + "/\(prefix)abc/trainer.safetensors")
        let second = try Trainer(adapter: try fixture.adapter(), options: options)
        _ = try second.fit(fixture.dataset, evaluation: nil) { _ in true }
        #expect(try FileSystem.names(in: folder) == ["checkpoint"])
    }
}
