import GraftAdapters
import GraftFormats
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Adapters that PEFT saved for tasks with a dense head: what they are for, and what they compute.
@Suite struct TaskGoldenTests {
    private static let variants =
        (try? JSON(contentsOf: Goldens.path("task-training/variants.json")))?.arrayValue ?? []

    @Test("An adapter of PEFT's has its task and computes its logits", arguments: variants)
    func logits(variant: JSON) throws {
        let changes =
            try variant.optionalObject("changes").map { Dictionary(uniqueKeysWithValues: Array($0)) } ?? [:]
        let model = try Architectures.load(
            path: try Goldens.copyOfModel(try variant.string("base"), changing: changes), precision: .float32)
        let folder = Goldens.path("task-training/\(try variant.string("name"))")
        let adapter = try Adapter(model: model, path: folder + "/start")
        #expect(adapter.content.task?.name == (try variant.string("task")))
        #expect(adapter.content.labelCount == (try variant.int("labels")))
        let rows = try Goldens.rows(
            try JSON(contentsOf: Goldens.path("task-training/batches.json")).arrayValue?[0] ?? .null)
        let expected = try Goldens.floats(SafetensorsFile(path: folder + "/expected.safetensors"), "logits")
        let composition = try Composition(adapter: adapter, scale: 1)
        let found = try logits(model, rows, Array(repeating: composition, count: rows.rowCount))
        #expect(Goldens.difference(found, expected) < 2e-5)
    }

    @Test(
        "A checkpoint that classifies rows or tokens, or finds answers, does so by itself",
        arguments: [
            "bert-tiny", "distilbert-tiny", "llama-tiny", "gpt2-tiny", "mistral-tiny", "qwen2-tiny", "qwen3-tiny",
            "roberta-tiny",
            "smollm3-tiny", "xlm-roberta-tiny", "electra-tiny", "albert-tiny", "mpnet-tiny",
            "modernbert-tiny", "gpt-neox-tiny", "deberta-v2-tiny",
        ],
        [
            (GraftAdapters.Task.sequenceClassification, "/sequence-classification", 3),
            (.tokenClassification, "/token-classification", 5), (.questionAnswering, "", 2),
        ])
    func ownHead(name: String, of kind: Kind) throws { try expectOwnHead(name, kind) }

    @Test("So does one of an architecture that transformers has not all these classes of")
    func ownHeadOfSomeClasses() throws {
        for name in ["gemma-tiny", "gemma2-tiny", "gemma3-tiny", "phi3-tiny", "olmo2-tiny", "nomic-bert-tiny"] {
            try expectOwnHead(name, (.sequenceClassification, "/sequence-classification", 3))
            if name != "gemma3-tiny", name != "olmo2-tiny" {
                try expectOwnHead(name, (.tokenClassification, "/token-classification", 5))
            }
        }
    }

    typealias Kind = (task: GraftAdapters.Task, folder: String, labels: Int)

    private func expectOwnHead(_ name: String, _ kind: Kind) throws {
        let parent = kind.folder.isEmpty ? "question-answering/" : ""
        let folder = Goldens.path(parent + name + kind.folder)
        let model = try Architectures.load(path: folder, precision: .float32)
        #expect(model.ownTask == kind.task && model.baseHead?.labels.count == kind.labels)
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("\(name)/inputs.json")))
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        #expect(Goldens.difference(try logits(model, rows, []), try Goldens.floats(file, "logits")) < 5e-5)
    }

    @Test("Heads of rows and of tokens share no batch")
    func mixed() throws {
        let model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        func composition(_ task: GraftAdapters.Task) throws -> Composition {
            let adapter = try Adapter(model: model, method: "lora", config: nil, seed: 1)
            try adapter.set(task, HeadSettings(labels: ["O", "B-A"], dropout: nil, trainsDense: false))
            return try Composition(adapter: adapter, scale: 1)
        }
        var rows = RowBatch()
        for _ in 0..<2 { rows.append(tokens: [2, 3], types: nil as [Int32]?) }
        let adapters = [try composition(.sequenceClassification), try composition(.tokenClassification)]
        let error = #expect(throws: GraftError.self) { try logits(model, rows, adapters) }
        #expect(error?.code == .incompatible && error?.message.contains("row 1") == true)
    }

    @Test("A trained base of another problem takes no other task's head")
    func otherProblem() throws {
        let folder = try Goldens.copyOfModel(
            "bert-tiny/sequence-classification", changing: ["problem_type": "regression"])
        let model = try Architectures.load(path: folder, precision: .float32)
        #expect(model.ownTask == .regression)
        let adapter = try Adapter(model: model, method: "lora", config: nil, seed: 1)
        let head = HeadSettings(labels: ["a", "b"], dropout: nil, trainsDense: false)
        #expect(throws: GraftError.self) { try adapter.set(.multiLabelClassification, head) }
        try adapter.set(.regression, head)
    }

    private func logits(_ model: Model, _ rows: RowBatch, _ adapters: [Composition?]) throws -> [Float] {
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        let (unit, columns) = try session.outputs(rows, adapters: adapters)
        var out = [Float](repeating: .nan, count: rows.count(unit) * columns)
        try session.classify(rows, adapters: adapters, into: &out)
        return out
    }
}
