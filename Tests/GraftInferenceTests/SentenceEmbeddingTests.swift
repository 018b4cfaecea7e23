import GraftFormats
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Glibc
import Testing

/// What a model folder declares with sentence-transformers' files is what embedding does.
@Suite struct SentenceEmbeddingTests {
    private let rows: RowBatch

    init() throws { rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json"))) }

    /// bert-tiny with files of sentence-transformers; paths may be in folders.
    private func makeModel(_ files: [String: String]) throws -> Model {
        let folder = try Goldens.temporaryFolder()
        for name in ["config.json", "model.safetensors"] {
            let bytes = try MappedFile.contents(of: Goldens.path("bert-tiny/sequence-classification/\(name)"))
            try AtomicFile.write(bytes, to: "\(folder)/\(name)")
        }
        for (name, text) in files {
            if let slash = name.firstIndex(of: "/") { mkdir(folder + "/" + name[..<slash], 0o700) }
            try AtomicFile.write(text, to: folder + "/" + name)
        }
        return try Architectures.load(path: folder, precision: .float32)
    }

    private func makeSession(_ model: Model) throws -> Session {
        try Session(model: model, threadCount: 2, passTokenCount: 20, cancelToken: nil)
    }

    private func embedded(_ session: Session, _ pooling: Pooling? = nil, normalizes: Bool? = nil) throws -> [Float] {
        let embedding = try session.embedding(pooling, normalizes: normalizes)
        let width = embedding.width(hiddenSize: session.model.shape.hiddenSize)
        var out = [Float](repeating: .nan, count: rows.rowCount * width)
        try session.embed(rows, adapters: [], as: embedding, into: &out)
        return out
    }

    private static func modules(_ types: [String]) -> String {
        let list = types.enumerated().map { index, type in
            let path = type.hasSuffix("Transformer") ? "" : "\(index)_\(type)"
            let prefix = type.contains(".") ? "" : "sentence_transformers.models."
            return #"{"idx": \#(index), "name": "\#(index)", "path": "\#(path)", "type": "\#(prefix)\#(type)"}"#
        }
        return "[" + list.joined(separator: ", ") + "]"
    }

    /// The vectors of each row in double, from its hidden states.
    private func vectors(_ session: Session, _ poolings: [Pooling], normalizes: Bool) throws -> [Double] {
        let states = try session.states(rows)
        let width = session.model.shape.hiddenSize
        return (0..<rows.rowCount).flatMap { row in
            let range = rows.range(ofRow: row)
            let vector = poolings.flatMap { pooling in
                (0..<width).map { column -> Double in
                    let values = range.map { Double(states[$0 * width + column]) }
                    let count = Double(values.count)
                    switch pooling {
                    case .mean: return values.reduce(0, +) / count
                    case .rootMean: return values.reduce(0, +) / count.squareRoot()
                    case .first: return values[0]
                    case .last: return values[values.count - 1]
                    case .maximum: return values.max() ?? .nan
                    case .weightedMean:
                        let sum = values.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) * $1.element }
                        return sum / (count * (count + 1) / 2)
                    }
                }
            }
            let length = normalizes ? vector.reduce(0) { $0 + $1 * $1 }.squareRoot() : 1
            return vector.map { $0 / length }
        }
    }

    private func largestDifference(_ found: [Float], _ expected: [Double]) -> Double {
        guard found.count == expected.count else { return .infinity }
        return zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
    }

    @Test("Each pooling of a folder, under its old and its new name, alone and beside others, is what is declared")
    func poolings() throws {
        for (settings, poolings) in [
            (#""pooling_mode_cls_token": true"#, [.first]), (#""pooling_mode_max_tokens": true"#, [.maximum]),
            (#""pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false"#, [.mean]),
            (#""pooling_mode_mean_sqrt_len_tokens": true"#, [.rootMean]),
            (#""pooling_mode_weightedmean_tokens": true"#, [.weightedMean]),
            (#""pooling_mode_lasttoken": true, "include_prompt": true"#, [.last]),
            (#""pooling_mode": "cls""#, [.first]), (#""pooling_mode": ["lasttoken"]"#, [.last]),
            (
                #""pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true, "pooling_mode_max_tokens": true"#,
                [.first, .maximum, .mean]
            ),
            (#""pooling_mode": ["weightedmean", "lasttoken", "cls"]"#, [.weightedMean, .last, .first]),
            (#""include_prompt": true"#, [.mean]),
        ] as [(String, [Pooling])] {
            for (types, normalizes) in [
                (["Transformer", "Pooling"], false), (["Transformer", "Pooling", "Normalize"], true),
            ] {
                let session = try makeSession(
                    try makeModel([
                        "modules.json": Self.modules(types),
                        "1_Pooling/config.json": "{\"word_embedding_dimension\": 32, \(settings)}",
                    ]))
                let found = try embedded(session)
                let difference = largestDifference(found, try vectors(session, poolings, normalizes: normalizes))
                #expect(difference < 5e-6, "\(settings): \(difference)")
            }
        }
    }

    @Test("What the caller chooses goes before what is declared; without a declaration it is the mean of length 1")
    func choices() throws {
        let declared = try makeSession(
            try makeModel([
                "modules.json": Self.modules(["Transformer", "Pooling"]),
                "1_Pooling/config.json": #"{"embedding_dimension": 32, "pooling_mode": ["cls", "max"]}"#,
            ]))
        let silent = try makeSession(try makeModel([:]))
        for (session, pooling, normalizes, poolings, expectsLength) in [
            (declared, nil, true, [.first, .maximum], true), (declared, .mean, nil, [.mean], false),
            (declared, .last, true, [.last], true), (silent, nil, nil, [.mean], true),
            (silent, nil, false, [.mean], false),
            (silent, .maximum, nil, [.maximum], true), (silent, .weightedMean, false, [.weightedMean], false),
        ] as [(Session, Pooling?, Bool?, [Pooling], Bool)] {
            let found = try embedded(session, pooling, normalizes: normalizes)
            #expect(largestDifference(found, try vectors(session, poolings, normalizes: expectsLength)) < 5e-6)
        }
        // A length of 1 that is declared is left out when it is not wanted.
        let normal = try makeSession(
            try makeModel([
                "modules.json": Self.modules(["Transformer", "Pooling", "Normalize"]),
                "1_Pooling/config.json": #"{"pooling_mode": "mean"}"#,
            ]))
        let raw = try embedded(normal, normalizes: false)
        #expect(largestDifference(raw, try vectors(normal, [.mean], normalizes: false)) < 5e-6)
    }

    @Test(
        "A dense layer is done in its place, and threads and neighbours change no bit", arguments: ["Tanh", "Identity"])
    func dense(activation: String) throws {
        var random = RandomNumbers(seed: 1, stream: "dense")
        let weight = (0..<5 * 64).map { _ in random.normal() * 0.2 }
        let bias = (0..<5).map { _ in random.normal() }
        let model = try makeModel([
            "modules.json": Self.modules(["Transformer", "Pooling", "Dense", "Normalize", "Dropout"]),
            "1_Pooling/config.json": #"{"word_embedding_dimension": 32, "pooling_mode": ["mean", "cls"]}"#,
            "2_Dense/config.json": #"{"in_features": 64, "out_features": 5, "bias": true, "#
                + #""activation_function": "torch.nn.modules.activation.\#(activation)"}"#,
        ])
        let refused = #expect(throws: GraftError.self) { try embedded(try makeSession(model)) }
        #expect(refused?.code == .notFound && refused?.message.contains("2_Dense") == true)
        let bytes = try weight.withUnsafeBytes { weight in
            try bias.withUnsafeBytes { bias in
                try SafetensorsWriter.serialize(tensors: [
                    ("linear.weight", .float32, [5, 64], weight), ("linear.bias", .float32, [5], bias),
                ])
            }
        }
        try AtomicFile.write(bytes, to: model.source.path + "/2_Dense/model.safetensors")
        let session = try makeSession(try Architectures.load(path: model.source.path, precision: .float32))
        let pooled = try vectors(session, [.mean, .first], normalizes: false)
        let expected = (0..<rows.rowCount).flatMap { row in
            let vector = (0..<5).map { output -> Double in
                let sum = (0..<64).reduce(Double(bias[output])) {
                    $0 + pooled[row * 64 + $1] * Double(weight[output * 64 + $1])
                }
                return activation == "Tanh" ? tanh(sum) : sum
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / length }
        }
        let found = try embedded(session)
        #expect(largestDifference(found, expected) < 5e-6)
        let embedding = try session.embedding(nil, normalizes: nil)
        for row in 0..<rows.rowCount {
            var single = RowBatch()
            single.append(row: row, of: rows)
            var alone = [Float](repeating: .nan, count: 5)
            try session.embed(single, adapters: [], as: embedding, into: &alone)
            #expect(alone == Array(found[row * 5..<row * 5 + 5]))
        }
    }

    @Test("What this build does not do is refused by name where it is asked for, and only there")
    func refused() throws {
        let plain = Self.modules(["Transformer", "Pooling"])
        let mean = #"{"pooling_mode": "mean"}"#
        for (files, code, words) in [
            (
                ["modules.json": Self.modules(["Transformer", "Pooling", "LSTM"]), "1_Pooling/config.json": mean],
                .unsupported, "LSTM"
            ),
            (["modules.json": Self.modules(["WordEmbeddings", "Pooling"])], .unsupported, "WordEmbeddings"),
            (["modules.json": Self.modules(["Transformer", "other.Module"])], .unsupported, "other.Module"),
            (["modules.json": Self.modules(["Transformer", "Normalize", "Pooling"])], .unsupported, "Normalize"),
            (["modules.json": Self.modules(["Transformer"])], .unsupported, "Pooling"),
            (["modules.json": "{"], .corruptFile, "modules.json"), (["modules.json": "{}"], .corruptFile, "an array"),
            (["modules.json": plain], .notFound, "1_Pooling/config.json"),
            (["modules.json": plain, "1_Pooling/config.json": #"{"pooling_mode": "median"}"#], .unsupported, "median"),
            (
                ["modules.json": plain, "1_Pooling/config.json": #"{"pooling_mode_median": true}"#], .unsupported,
                "pooling_mode_median"
            ),
            (
                ["modules.json": plain, "1_Pooling/config.json": #"{"word_embedding_dimension": 33}"#], .incompatible,
                "33"
            ),
            (
                ["modules.json": plain, "1_Pooling/config.json": #"{"pooling_mode_cls_token": 1}"#], .corruptFile,
                "pooling_mode_cls_token"
            ),
            (
                [
                    "modules.json": plain, "1_Pooling/config.json": #"{"include_prompt": false}"#,
                    "config_sentence_transformers.json": #"{"prompts": {"query": "q: "}}"#,
                ], .unsupported, "include_prompt"
            ),
            (
                [
                    "modules.json": Self.modules(["Transformer", "Pooling", "Dense"]), "1_Pooling/config.json": mean,
                    "2_Dense/config.json":
                        #"{"in_features": 32, "out_features": 4, "activation_function": "mine.Swish"}"#,
                ], .unsupported, "mine.Swish"
            ),
            (
                [
                    "modules.json": Self.modules(["Transformer", "Pooling", "Dense"]), "1_Pooling/config.json": mean,
                    "2_Dense/config.json": #"{"in_features": 32, "out_features": 4}"#,
                    "2_Dense/pytorch_model.bin": "pickle",
                ], .unsupported, "pickle"
            ),
            (
                [
                    "modules.json": Self.modules(["Transformer", "Pooling", "Dense"]), "1_Pooling/config.json": mean,
                    "2_Dense/config.json": #"{"in_features": 31, "out_features": 4}"#,
                ], .incompatible, "31 in_features"
            ),
        ] as [([String: String], GraftError.Code, String)] {
            let session = try makeSession(try makeModel(files))
            for pooling in [nil, Pooling.mean] {
                let error = #expect(throws: GraftError.self) { try embedded(session, pooling) }
                #expect(error?.code == code && error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
            #expect(try embedded(session, .first, normalizes: true).allSatisfy { $0.isFinite })
        }
    }

    @Test("Prompts are the folder's, the default one where none is named")
    func prompts() throws {
        let file = "config_sentence_transformers.json"
        let prompts = try makeModel([
            file:
                #"{"prompts": {"query": "query: ", "passage": "passage: ", "none": null}, "default_prompt_name": "passage"}"#
        ]).source.sentences.prompts.get()
        #expect(
            try prompts.text("query") == "query: " && prompts.text(nil) == "passage: " && prompts.text("none") == "")
        #expect(try prompts.text("document") == "")
        let error = #expect(throws: GraftError.self) { try prompts.text("other") }
        #expect(error?.code == .notFound && error?.message.contains("\"passage\"") == true)
        #expect(try makeModel([file: "{}"]).source.sentences.prompts.get().text(nil) == "")
        #expect(try makeModel([:]).source.sentences.prompts.get().named.isEmpty)
        for text in [#"{"default_prompt_name": "other"}"#, #"{"prompts": {"a": 1}}"#, #"{"prompts": []}"#, "[]"] {
            let error = #expect(throws: GraftError.self) { try makeModel([file: text]).source.sentences.prompts.get() }
            #expect(error?.code == .corruptFile)
        }
    }
}
