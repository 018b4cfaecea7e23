import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Ten steps of PEFT or AdapterHub, or of PEFT below a head of PyTorch's own, step by step: losses,
/// norms, every gradient, and every tensor at the end.
@Suite struct TrainingGoldenTests {
    static let variants = GoldenCase.all(
        in: [
            "lora-training", "pooled-head", "llama-training", "gpt2-training", "mistral-training", "qwen-training",
            "gemma-training", "decoder-training", "roberta-training", "distilbert-training", "electra-training",
            "albert-training",
            "mpnet-training", "modernbert-training", "deberta-training", "nomic-bert-training",
            "task-training", "embedding-training",
            "actions-training",
            "adalora-training", "bottleneck", "prompt-learning", "adversarial", "seq2seq-training",
            "seq2seq-heads", "seq2seq-token-heads",
            "masked-language", "group-training", "preference-training",
        ], "variants.json"
    ).filter { $0.settings["steps"] != nil }

    @Test("The goldens are there")
    func goldensAreThere() { #expect(Self.variants.count >= 160) }

    @Test("Ten steps equal PEFT's or AdapterHub's", arguments: variants)
    func tenSteps(golden: GoldenCase) throws {
        let variant = golden.settings
        let folder = golden.testDescription
        let changes = try variant.optionalObject("changes").map { Dictionary(uniqueKeysWithValues: Array($0)) } ?? [:]
        let base = try Goldens.copyOfModel(
            try variant.optionalString("base") ?? "bert-tiny/sequence-classification",
            changing: Goldens.withoutDropout.merging(changes) { $1 })
        let model = try Architectures.load(path: base, precision: .float32)
        let isProjected = try variant.optionalBool("is_projected") ?? false
        let adapter =
            try isProjected
            ? projected(model, folder, variant) : Adapter(model: model, path: Goldens.path("\(folder)/start"))
        // AdapterHub's folders do not tell a language model's adapter from one without a task.
        if try variant.optionalString("task") == "CAUSAL_LM" { try adapter.set(.languageModel) }
        // PEFT has no name for it.
        if try variant.optionalString("task") == "masked_language_model" { try adapter.set(.maskedLanguageModel) }
        let groupRows = try variant.optionalInt("group_rows")
        if groupRows != nil { try adapter.set(.sentenceEmbedding) }
        let trainer = try Trainer(adapter: adapter, options: try options(variant))
        let rows = try variant.optionalString("batches") ?? golden.folder
        let batches = try JSON(contentsOf: Goldens.path("\(rows)/batches.json")).arrayValue ?? []
        let steps = try variant.array("steps")
        let withoutGradient = try variant.strings("without_gradient")
        let gradients = try SafetensorsFile(path: Goldens.path("\(folder)/gradients.safetensors"))
        for (index, step) in steps.enumerated() {
            var batch = try Goldens.rows(batches[index])
            try setTargets(of: variant, in: &batch, batches[index])
            if let groupRows { batch = try groups(of: batch, rowsEach: groupRows, batches[index]) }
            var decoderRows = RowBatch()
            var metrics = try trainer.accumulate(try trainer.rows(of: batch, in: &decoderRows))
            if index == 0 { try compare(trainer, trainer.optimizer.gradients, gradients, except: [], tolerance: 1e-4) }
            try trainer.update(&metrics)
            let loss = try step.double("loss")
            #expect(abs(metrics.loss - loss) < 2e-5 * max(1, loss), "step \(index): loss \(metrics.loss)")
            let norm = try step.double("gradient_norm")
            #expect(abs(metrics.gradientNorm - norm) < 2e-4 * norm, "step \(index): norm \(metrics.gradientNorm)")
            if let kept = step["kept_ranks"]?.objectValue {
                for (name, ranks) in kept { try compare(trainer.content, name, kept: ranks, step: index) }
            }
            if let rate = try step.optionalDouble("learning_rate") {
                #expect(abs(metrics.learningRate - rate) < 1e-9, "step \(index): rate \(metrics.learningRate)")
            }
        }
        let final = try SafetensorsFile(path: Goldens.path("\(folder)/final.safetensors"))
        try compare(trainer, trainer.content.values, final, except: withoutGradient, tolerance: 2e-4)
    }

    /// Whether AdaLoRA's singular values are zero where PEFT's are.
    private func compare(_ content: AdapterContent, _ name: String, kept: JSON, step: Int) throws {
        let tensor = try #require(content.plan.tensors.first { $0.name == name })
        let found = (0..<tensor.parameter.count).map { content.values[tensor.parameter.offset + $0] != 0 }
        #expect(found == kept.arrayValue?.compactMap(\.boolValue), "step \(step): \(name)")
    }

    private func setTargets(of variant: JSON, in batch: inout RowBatch, _ json: JSON) throws {
        let lists = ["multi_label_classification": "label_sets", "regression": "values"]
        guard let list = try variant.optionalString("task").flatMap({ lists[$0] }) else { return }
        let width = try variant.int("labels")
        let rows = try json.array(list).map { ($0.arrayValue ?? []).prefix(width).compactMap(\.doubleValue) }
        batch.set(Column(.targets, floats: rows.flatMap { $0.map { Float($0) } }, width: width))
    }

    /// The first rows of each group of three, and how alike two of them are.
    private func groups(of rows: RowBatch, rowsEach count: Int, _ json: JSON) throws -> RowBatch {
        var batch = RowBatch()
        let chosen = (0..<rows.rowCount).filter { $0 % 3 < count }
        for row in chosen { batch.append(row: row, of: rows) }
        batch.set(.groupPlaces, chosen.map { Int32($0 % 3) })
        let alike = try json.array("alike").compactMap(\.doubleValue)
        batch.set(Column(.targets, floats: chosen.map { Float(alike[$0 / 3]) }))
        return batch
    }

    /// An adapter with what its file does not have: what a prefix is made of while it learns.
    private func projected(_ model: Model, _ folder: String, _ variant: JSON) throws -> Adapter {
        let start = try JSON(contentsOf: Goldens.path("\(folder)/start/adapter_config.json")).requireObject()
        var config = JSONObject()
        for key in ["num_virtual_tokens", "prefix_projection", "encoder_hidden_size"] { config[key] = start[key] }
        if try start.optionalStrings("modules_to_save")?.contains("pooler") ?? false {
            config["modules_to_save"] = ["pooler"]
        }
        let adapter = try Adapter(
            model: model, method: "prefix_tuning", config: JSON.object(config).serialized(indent: nil), seed: 1)
        if try variant.string("task") == "SEQ_CLS" {
            try adapter.set(
                .sequenceClassification, HeadSettings(labels: ["a", "b", "c"], dropout: 0, trainsDense: false))
        } else {
            try adapter.set(.languageModel)
        }
        let encoder = try SafetensorsFile(path: Goldens.path("\(folder)/encoder.safetensors"))
        for tensor in adapter.content.plan.tensors {
            for (index, value) in try Goldens.floats(encoder, tensor.name).enumerated() {
                adapter.content.values[tensor.parameter.offset + index] = value
            }
        }
        // A file has what is made of that.
        let saved = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: saved)
        let (own, peft) = (saved, Goldens.path("\(folder)/start"))
        let files = try [own, peft].map { try SafetensorsFile(path: $0 + "/adapter_model.safetensors") }
        #expect(files[0].tensors.map(\.name) == files[1].tensors.map(\.name))
        for tensor in files[1].tensors {
            let difference = Goldens.difference(
                try Goldens.floats(files[0], tensor.name), try Goldens.floats(tensor))
            #expect(difference < 1e-5, "\(tensor.name): \(difference)")
        }
        return adapter
    }

    private func options(_ variant: JSON) throws -> TrainerOptions {
        var options = TrainerOptions()
        let optimizer = try #require(variant["optimizer"])
        let name = try optimizer.string("name")
        // torch calls both decays alike.
        options.optimizer = NamedChoice(
            name, [name == "sgd" ? "l2" : "weight_decay": .double(try optimizer.double("weight_decay"))])
        if let momentum = optimizer["momentum"] { options.optimizer.settings["momentum"] = momentum }
        options.learningRate = Float(try optimizer.double("learning_rate"))
        options.schedule = NamedChoice(
            try variant.optionalString("schedule") ?? "constant",
            ["warmup_ratio": 0, "warmup_steps": .integer(try variant.optionalInt("warmup_steps") ?? 0)])
        if let plan = try variant.optionalString("step_plan") {
            options.stepPlan = NamedChoice(plan, variant["step_plan_settings"]?.objectValue ?? JSONObject())
        }
        if let loss = try variant.optionalString("loss") {
            options.loss = NamedChoice(loss, variant["loss_settings"]?.objectValue ?? JSONObject())
        }
        options.totalSteps = 10
        options.maximumGradientNorm = Float(try variant.double("maximum_gradient_norm"))
        options.labelSmoothing = Float(try variant.optionalDouble("label_smoothing") ?? 0)
        options.classWeights = (variant["class_weights"]?.arrayValue ?? []).compactMap {
            $0.doubleValue.map { Float($0) }
        }
        options.threadCount = 2
        return options
    }

    private func compare(
        _ trainer: Trainer, _ numbers: UnsafeMutablePointer<Float>, _ golden: SafetensorsFile, except: [String],
        tolerance: Float
    ) throws {
        // With bias "all" PEFT also writes the head's biases under their inner names.
        let planned = Set(trainer.content.plan.tensors.map(\.name))
        for tensor in golden.tensors where !planned.contains(tensor.name) {
            #expect(tensor.name.contains(".original_module.") || tensor.name.contains(".modules_to_save."))
        }
        for tensor in trainer.content.plan.tensors where !except.contains(tensor.name) {
            let own = Array(
                UnsafeBufferPointer(start: numbers + tensor.parameter.offset, count: tensor.parameter.count))
            let difference = Goldens.difference(own, try Goldens.floats(golden, tensor.name))
            #expect(difference < tolerance, "\(tensor.name): \(difference)")
        }
    }
}
