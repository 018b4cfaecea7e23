import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Encoders of BERT's formula with a difference or two.
@Suite struct EncoderTests {
    @Test(
        "Hidden states equal those of transformers",
        arguments: [
            "electra-tiny/base", "electra-tiny/wide",
            "electra-tiny/sequence-classification", "albert-tiny/base", "albert-tiny/groups", "albert-tiny/masked-lm",
            "albert-tiny/sequence-classification", "albert-tiny/token-classification", "mpnet-tiny/base",
            "mpnet-tiny/masked-lm", "mpnet-tiny/sequence-classification", "modernbert-tiny/base",
            "modernbert-tiny/masked-lm", "modernbert-tiny/mean", "modernbert-tiny/sequence-classification",
            "deberta-v2-tiny/base", "deberta-v2-tiny/apart", "deberta-v2-tiny/keys", "deberta-v2-tiny/masked-lm",
            "deberta-v2-tiny/sequence-classification", "deberta-v2-tiny/token-classification",
        ])
    func hiddenStatesEqual(name: String) throws {
        let folder = Goldens.path(name)
        let inputs = Goldens.path(String(name.prefix { $0 != "/" }) + "/inputs.json")
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        let found = try hiddenStates(folder, try Goldens.rows(try JSON(contentsOf: inputs)))
        #expect(found.count == file.tensors.count { $0.name.hasPrefix("hidden_states.") })
        for (layer, states) in found.enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 5e-5, "layer \(layer): \(difference)")
        }
    }

    @Test(
        "What a configuration asks for and this build has not is refused by its name",
        arguments: [
            ("electra-tiny/base", "embedding_size", 25, .incompatible),
            ("electra-tiny/base", "is_decoder", true, .unsupported),
            ("albert-tiny/base", "embedding_size", 0, .corruptFile),
            ("albert-tiny/base", "num_hidden_groups", 4, .unsupported),
            ("albert-tiny/base", "inner_group_num", 1_048_576, .unsupported),
            ("albert-tiny/base", "inner_group_num", 2, .notFound),
            ("mpnet-tiny/base", "relative_attention_num_buckets", 31, .unsupported),
            ("mpnet-tiny/base", "relative_attention_num_buckets", 32, .incompatible),
            ("modernbert-tiny/base", "hidden_size", 36, .unsupported),
            ("modernbert-tiny/base", "classifier_pooling", "last", .unsupported),
            ("modernbert-tiny/base", "layer_types", ["full_attention"], .corruptFile),
            ("modernbert-tiny/base", "rope_parameters", ["rope_type": "default"], .unsupported),
            ("modernbert-tiny/base", "rope_parameters", ["full_attention": ["rope_type": "yarn"]], .unsupported),
            ("modernbert-tiny/base", "mlp_dropout", 0.1, .unsupported),
            ("deberta-v2-tiny/base", "conv_kernel_size", 3, .unsupported),
            ("deberta-v2-tiny/base", "relative_attention", false, .unsupported),
            ("deberta-v2-tiny/base", "position_buckets", 2, .unsupported),
            ("deberta-v2-tiny/base", "position_buckets", 16, .incompatible),
            ("deberta-v2-tiny/base", "embedding_size", 16, .unsupported),
            ("deberta-v2-tiny/base", "share_att_key", false, .notFound),
        ] as [(String, String, JSON, GraftError.Code)])
    func refused(base: String, key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel(base, changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }

    @Test("A module that layers share is one site, at the lowest of their depths")
    func sharedSites() throws {
        let model = try Architectures.load(path: Goldens.path("albert-tiny/groups"), precision: .float32)
        #expect(model.shape.layerCount == 10)
        let queries = model.sites.filter { $0.path.hasSuffix(".query") }
        #expect(
            queries.map(\.path)
                == [(0, 0), (0, 1), (1, 0), (1, 1)].map {
                    "encoder.albert_layer_groups.\($0.0).albert_layers.\($0.1).attention.query"
                })
        #expect(queries.map(\.depth) == [1, 2, 7, 8])
    }
}
