import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct RobertaTests {
    @Test(
        "Hidden states equal those of transformers, also where padding stands inside a row",
        arguments: [
            "roberta-tiny/base", "roberta-tiny/everything", "roberta-tiny/masked-lm",
            "roberta-tiny/sequence-classification", "roberta-tiny/token-classification",
            "xlm-roberta-tiny/sequence-classification", "xlm-roberta-tiny/token-classification",
        ])
    func hiddenStatesEqual(folder: String) throws {
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("roberta-tiny/inputs.json")))
        let file = try SafetensorsFile(path: Goldens.path("\(folder)/expected.safetensors"))
        for (layer, states) in try hiddenStates(Goldens.path(folder), rows).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 2e-5, "layer \(layer): \(difference)")
        }
    }

    @Test("A row is as long as there are positions past that of padding", arguments: ["base", "everything"])
    func maximumLength(name: String) throws {
        let model = try Architectures.load(path: Goldens.path("roberta-tiny/\(name)"), precision: .float32)
        #expect(model.shape.maximumLength == 64)
    }

    @Test("A classifier has its own dense layer where other models have a pooler")
    func modules() throws {
        func paths(_ name: String) throws -> [String] {
            try Architectures.load(path: Goldens.path("roberta-tiny/\(name)"), precision: .float32).sites
                .filter { !$0.isAbsent }.map(\.path)
        }
        let classifier = try paths("sequence-classification")
        #expect(classifier.contains("classifier.dense") && classifier.contains("classifier.out_proj"))
        #expect(!classifier.contains("pooler.dense"))
        #expect(try paths("base").contains("pooler.dense"))
        #expect(try paths("token-classification").contains("classifier"))
    }

    @Test(
        "A configuration that contradicts itself or asks for what is not done is refused by name",
        arguments: [
            ("pad_token_id", .null, .unsupported), ("pad_token_id", -1, .unsupported),
            ("pad_token_id", 65, .unsupported),
            ("pad_token_id", 110, .incompatible), ("pad_token_id", "<pad>", .corruptFile),
            ("max_position_embeddings", 64, .incompatible), ("max_position_embeddings", 2, .unsupported),
            ("type_vocab_size", 2, .incompatible), ("is_decoder", true, .unsupported),
            ("position_embedding_type", "relative_key", .unsupported), ("num_attention_heads", 3, .unsupported),
        ] as [(String, JSON, GraftError.Code)])
    func refused(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("roberta-tiny/base", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
