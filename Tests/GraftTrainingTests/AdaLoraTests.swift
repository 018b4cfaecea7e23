import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftAdapters
@testable import GraftTraining

/// AdaLoRA's budget: which ranks are left, in memory, in files and in checkpoints.
@Suite struct AdaLoraTests {
    private let fixture: TrainingFixture

    init() throws { fixture = try TrainingFixture() }

    private func adapter(_ settings: String = "", seed: UInt64 = 3) throws -> Adapter {
        let adapter = try Adapter(
            model: fixture.model, method: "adalora",
            config: "{\"init_r\": 4, \"target_r\": 2, \"tinit\": 3, \"tfinal\": 4, \"lora_dropout\": 0.1, "
                + "\"bias\": \"all\"\(settings)}",
            seed: seed)
        try adapter.set(
            .sequenceClassification, HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: false))
        return adapter
    }

    private func trainer(
        _ adapter: Adapter, _ change: (inout TrainerOptions) -> Void = { _ in }
    ) throws -> Trainer { try Trainer(adapter: adapter, options: TrainingFixture.options(change)) }

    @discardableResult
    private func fit(_ trainer: Trainer, _ report: (Metrics) -> Bool = { _ in true }) throws -> Metrics {
        try trainer.fit(fixture.dataset, evaluation: fixture.evaluation) { report($0) }
    }

    private func kept(_ adapter: Adapter) -> [Int] {
        adapter.content.plan.prunedRanks.map { $0.kept(adapter.content.values).count }
    }

    @Test("The budget is all ranks, a cubic curve, and the target; PEFT's numbers")
    func budget() throws {
        func schedule(_ settings: JSON) throws -> RankSchedule {
            try RankSchedule(NumberSettings(settings.requireObject(), place: "test"), targetRank: 8)
        }
        // RankAllocator.budget_schedule of ten modules of rank 12, with its mask_ind.
        let every = try schedule(["tinit": 2, "tfinal": 3, "total_step": 12])
        let found = (1...12).map { every.budget(step: $0, totalSteps: 99, rankCount: 120, moduleCount: 10) }
        #expect(found == [nil, nil, 105, 94, 87, 83, 80, 80, 80, nil, nil, nil])
        let third = try schedule(["deltaT": 3])
        let rare = (1...10).map { third.budget(step: $0, totalSteps: 10, rankCount: 120, moduleCount: 10) }
        #expect(rare == [nil, nil, 93, nil, nil, 82, nil, nil, 80, 80])
    }

    @Test("The k-th smallest number is that of the sorted ones")
    func smallest() {
        var random = RandomNumbers(seed: 1, stream: "scores")
        let numbers = (0..<100).map { $0 % 7 == 0 ? 0 : abs(random.normal()) * 1e-9 }
        let sorted = numbers.sorted()
        for k in 1...100 { #expect(AdaLoraRule.smallest(k, of: numbers, count: 100) == sorted[k - 1]) }
    }

    @Test("After training the modules have the target on average, and what is saved computes the same")
    func trained() throws {
        let adapter = try adapter(", \"target_modules\": \"all-linear\"")
        let trainer = try trainer(adapter)
        try fit(trainer)
        let ranks = kept(adapter)
        #expect(ranks.reduce(0, +) == 2 * ranks.count && Set(ranks).count > 1, "\(ranks)")
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        let config = try JSON(contentsOf: folder + "/adapter_config.json").requireObject()
        let pattern = try #require(try config.optionalObject("rank_pattern"))
        #expect(pattern.count == ranks.count && pattern.keys == pattern.keys.sorted())
        let loaded = try Adapter(model: fixture.model, path: folder)
        #expect(loaded.content.plan.prunedRanks.map(\.singularValues.count) == ranks)
        let again = try self.trainer(loaded)
        let loss = try trainer.evaluate(fixture.evaluation).value("loss")
        #expect(abs(try again.evaluate(fixture.evaluation).value("loss") - loss) < 1e-6)
        // Written anew, the file is the same; trained on, its ranks stay.
        loaded.markChanged()
        try loaded.save(to: folder + "-again")
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(
                try MappedFile.contents(of: folder + "/" + file) == MappedFile.contents(of: folder + "-again/" + file))
        }
        try fit(again)
        #expect(kept(loaded) == ranks)
    }

    @Test("A pruned adapter that gets another task keeps its ranks, and its file says them under new names")
    func renamed() throws {
        let model = try Architectures.load(path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path("adalora/feature-extraction"))
        let ranks = adapter.content.plan.prunedRanks
        try adapter.set(
            .sequenceClassification, HeadSettings(labels: ["a", "b", "c"], dropout: nil, trainsDense: false))
        #expect(adapter.content.plan.prunedRanks.map(\.places) == ranks.map(\.places))
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        let again = try Adapter(model: model, path: folder)
        #expect(again.content.plan.prunedRanks.map(\.name) == ranks.map { "bert." + $0.name })
        #expect(again.content.plan.prunedRanks.map(\.places) == ranks.map(\.places))
    }

    @Test("Stopped after any step and resumed, a run has the same bits, on any adapter of its settings")
    func resumes() throws {
        let whole = try trainer(try adapter())
        try fit(whole)
        for stop in [1, 3, 4, 6, 9, 10, 11, 13] {
            let path = try Goldens.temporaryFolder() + "/checkpoint"
            let first = try trainer(try adapter()) { ($0.checkpointPath, $0.checkpointSteps) = (path, 1) }
            #expect(throws: GraftError.self) { try fit(first) { $0.step < stop } }
            guard try Checkpoint.find(at: path) else { continue }
            // One that begins anew, and the one in the checkpoint, which PEFT can load as well.
            for adapter in [try adapter(seed: 99), try Adapter(model: fixture.model, path: path)] {
                let copy = try Goldens.temporaryFolder() + "/checkpoint"
                let second = try trainer(adapter) { ($0.checkpointPath, $0.checkpointSteps) = (copy, 1) }
                try second.resume(from: path)
                try fit(second)
                #expect(bits(second.values) == bits(whole.values), "stopped at step \(stop)")
                #expect(try second.adapter.files().map(\.bytes) == whole.adapter.files().map(\.bytes))
            }
        }
    }

    @Test("The best weights are saved with the ranks that they had")
    func best() throws {
        // The best evaluation is the first, of all ranks: nothing is learned.
        let adapter = try adapter()
        let trainer = try trainer(adapter) {
            ($0.learningRate, $0.evaluationSteps, $0.metric) = (0, 1, "accuracy")
        }
        try fit(trainer)
        #expect(kept(adapter).allSatisfy { $0 == 4 })
        let files = try adapter.files()
        #expect(String(decoding: files[0].bytes, as: UTF8.self).contains("\"rank_pattern\": null"))
    }

    @Test(
        "A training without an end or without steps to prune in is refused, and one that has both is not",
        arguments: [
            ("", 0, "total_step is null"), (", \"total_step\": 9", 0, nil), ("", 7, "leaves no steps"), ("", 8, nil),
        ])
    func refused(settings: String, totalSteps: Int, words: String?) throws {
        let trainer = try trainer(try adapter(settings)) { $0.totalSteps = totalSteps }
        let before = bits(trainer.values)
        var batch = RowBatch()
        for row in 0..<4 { batch.append(row: row, of: fixture.dataset) }
        guard let words else {
            _ = try trainer.step(batch)
            return
        }
        let error = #expect(throws: GraftError.self) { try trainer.step(batch) }
        #expect(error?.code == .invalidArgument && error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(bits(trainer.values) == before)
    }

    @Test("Ranks that a file's alpha depends on are not pruned further")
    func withoutAlpha() throws {
        let model = try Architectures.load(path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path("adalora/without-alpha"))
        let trainer = try trainer(adapter)
        let error = #expect(throws: GraftError.self) { try fit(trainer) }
        #expect(error?.code == .unsupported && error?.message.contains("lora_alpha") == true)
    }

    @Test("What is trained as PEFT trains is saved as PEFT saves it", arguments: ["bert", "bert-interval"])
    func endsAsPEFT(name: String) throws {
        let folder = Goldens.path("adalora-training/\(name)")
        let base = try Goldens.copyOfModel("bert-tiny/sequence-classification", changing: Goldens.withoutDropout)
        let model = try Architectures.load(path: base, precision: .float32)
        let adapter = try Adapter(model: model, path: folder + "/start")
        let trainer = try trainer(adapter) {
            $0.optimizer = NamedChoice("adamw", ["weight_decay": 0.01])
            ($0.learningRate, $0.schedule, $0.maximumGradientNorm) = (1e-3, TrainingFixture.constant, 1)
            $0.totalSteps = 10
        }
        for batch in try JSON(contentsOf: Goldens.path("lora-training/batches.json")).arrayValue ?? [] {
            _ = try trainer.step(try Goldens.rows(batch))
        }
        let saved = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: saved)
        let configs = try [saved, folder + "/end"].map { path in
            // Which PEFT has twice in what it loaded and saved again.
            try JSON(contentsOf: path + "/adapter_config.json").requireObject().without("modules_to_save")
        }
        #expect(configs[0] == configs[1] && configs[0].keys == configs[1].keys)
        #expect(try configs[0].object("rank_pattern").keys == configs[1].object("rank_pattern").keys)
        let weights = "/adapter_model.safetensors"
        let (own, peft) = (
            try SafetensorsFile(path: saved + weights), try SafetensorsFile(path: folder + "/end" + weights)
        )
        for tensor in own.tensors {
            let other = try #require(peft[tensor.name])
            #expect(other.shape == tensor.shape)
            // Softmax ignores a bias of the keys: its gradients are noise.
            guard tensor.elementCount > 0, !tensor.name.hasSuffix("key.bias") else { continue }
            #expect(Goldens.difference(try Goldens.floats(tensor), try Goldens.floats(other)) < 2e-4, "\(tensor.name)")
        }
    }
}
