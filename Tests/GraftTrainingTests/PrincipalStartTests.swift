import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// PiSSA: a LoRA that starts at the largest singular values and is saved as a plain one.
@Suite struct PrincipalStartTests {
    private static let targets = #", "target_modules": ["query", "dense"]"#

    static let settings = [
        targets, targets + #", "lora_alpha": 3, "use_rslora": true"#,
        targets + #", "rank_pattern": {"query": 7}, "alpha_pattern": {"dense": 5}"#,
        targets + #", "rank_pattern": {"query": 7}, "alpha_pattern": {"dense": 5}, "use_rslora": true"#,
    ].map { $0 + #", "init_lora_weights": "pissa""# }

    /// Hidden states and logits of some rows, as a trainer's loss has them.
    private func loss(_ adapter: Adapter, _ fixture: TrainingFixture) throws -> Double {
        try Trainer(adapter: adapter, options: TrainingFixture.options()).evaluate(fixture.evaluation).value("loss")
    }

    private func train(_ adapter: Adapter, _ fixture: TrainingFixture) throws {
        let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options())
        _ = try trainer.fit(fixture.dataset, evaluation: nil) { _ in true }
    }

    @Test("The first A and B are the largest singular values, over LoRA's factor")
    func start() throws {
        let fixture = try TrainingFixture()
        let content = try fixture.adapter(settings: Self.settings[1]).content
        let site = try #require(content.model.sites.first { $0.path.hasSuffix("query") })
        let memory = try Memory(byteCount: site.inputs * site.outputs * 4)
        site.copyWeight(memory.floats())
        let values = try SingularValues(
            overwriting: Matrix(memory.floats(), rows: site.outputs, columns: site.inputs))
        defer { withExtendedLifetime((memory, values.memory)) {} }
        func tensor(_ suffix: String) throws -> [Float] {
            let planned = try #require(
                content.plan.tensors.first { $0.name.contains(site.path) && $0.name.hasSuffix(suffix) })
            return Array(
                UnsafeBufferPointer(start: content.values + planned.parameter.offset, count: planned.parameter.count))
        }
        let (a, b, factor) = (try tensor("lora_A.weight"), try tensor("lora_B.weight"), Float(3) / 2)
        for output in 0..<site.outputs {
            for input in 0..<site.inputs {
                var (found, expected) = (Float(0), Float(0))
                for index in 0..<4 {
                    found += factor * b[output * 4 + index] * a[index * site.inputs + input]
                    expected +=
                        values.s[index] * values.u.base[output * values.count + index]
                        * values.vt.base[index * site.inputs + input]
                }
                #expect(abs(found - expected) < 1e-5)
            }
        }
    }

    @Test(
        "A fresh adapter leaves the model as it is; a trained one is saved as the plain LoRA that it equals",
        arguments: settings)
    func savedPlain(settings: String) throws {
        let fixture = try TrainingFixture()
        let plain = try fixture.adapter(
            dropout: 0, settings: Self.targets + #", "init_lora_weights": true"#)
        let adapter = try fixture.adapter(dropout: 0, settings: settings)
        let before = try loss(adapter, fixture)
        #expect(abs(before - (try loss(plain, fixture))) < 1e-5)
        try train(adapter, fixture)
        let after = try loss(adapter, fixture)
        #expect(after < before - 0.01)
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        let config = try JSON(contentsOf: folder + "/adapter_config.json").requireObject()
        #expect(config["r"] == 8 && config["init_lora_weights"] == true)
        let again = try Adapter(model: fixture.model, path: folder)
        #expect(abs(after - (try loss(again, fixture))) < 1e-5)
        // A new head keeps the start, too.
        try adapter.set(.sequenceClassification, HeadSettings(labels: ["a", "b"], dropout: 0, trainsDense: false))
        let files = try adapter.files()
        let weights = try #require(files.first { $0.name == "adapter_model.safetensors" })
        let old = try SafetensorsFile(path: folder + "/adapter_model.safetensors", copies: true)
        let new = try weights.bytes.withUnsafeBytes { bytes in
            try SafetensorsFile(MappedFile(copyOf: bytes, path: "new"))
        }
        for tensor in old.tensors where tensor.name.contains("lora_") {
            #expect(tensor.holdsTheSame(as: new[tensor.name]), "\(tensor.name)")
        }
    }

    @Test("A run that was stopped goes on with the same bits, by an adapter that was made anew")
    func resumed() throws {
        let fixture = try TrainingFixture()
        func trainer() throws -> Trainer {
            try Trainer(
                adapter: try fixture.adapter(settings: Self.settings[2]), options: TrainingFixture.options())
        }
        let whole = try trainer()
        let first = try trainer()
        let folder = try Goldens.temporaryFolder() + "/checkpoint"
        for _ in 0..<2 {
            _ = try whole.step(fixture.dataset)
            _ = try first.step(fixture.dataset)
        }
        try first.save(to: folder)
        let second = try trainer()
        try second.resume(from: folder)
        for _ in 0..<2 {
            _ = try whole.step(fixture.dataset)
            _ = try second.step(fixture.dataset)
        }
        #expect(bits(whole.values) == bits(second.values))
        #expect(try Adapter(model: fixture.model, path: folder).content.parameterCount > 0)
    }

    @Test("Iterating finds the same start, nearly, by the seed")
    func iterated() throws {
        let fixture = try TrainingFixture()
        func numbers(_ start: String, seed: UInt64) throws -> [Float] {
            let adapter = try fixture.adapter(
                seed: seed, settings: Self.targets + #", "init_lora_weights": "\#(start)""#)
            let plan = adapter.content.plan
            return Array(UnsafeBufferPointer(start: adapter.content.values, count: plan.trainedCount))
        }
        let exact = try numbers("pissa", seed: 1).map(abs)
        let found = try numbers("pissa_niter_64", seed: 1)
        #expect(bits(found) == bits(try numbers("pissa_niter_64", seed: 1)))
        // The signs of a singular value's two vectors are free, together.
        let close = zip(exact, found).filter { abs($0 - abs($1)) < 1e-2 }.count
        #expect(Double(close) > 0.95 * Double(exact.count))
    }

    @Test(
        "What cannot start there is refused",
        arguments: [
            (#"{"init_lora_weights": "pissa", "target_modules": ["word_embeddings"]}"#, "word_embeddings"),
            (#"{"init_lora_weights": "pissa", "target_modules": ["query"], "r": 64}"#, "singular values"),
            (#"{"init_lora_weights": "pissa_niter_x", "target_modules": ["query"]}"#, "pissa_niter_x"),
        ])
    func refused(settings: String, words: String) throws {
        let fixture = try TrainingFixture()
        let error = #expect(throws: GraftError.self) {
            try Adapter(model: fixture.model, method: "lora", config: settings, seed: 1)
        }
        #expect(error?.message.contains(words) ?? false, "\(error?.message ?? "")")
    }
}
