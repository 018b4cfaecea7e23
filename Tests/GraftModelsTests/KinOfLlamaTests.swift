import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Decoders that are Llama's but for conventions and a few settings: windows, biases, norms of
/// heads and of branches, bounds of scores, joint modules, how layers turn or that they do not.
@Suite struct KinOfLlamaTests {
    @Test(
        "Hidden states equal those of transformers, whatever a token sees and wherever it turns",
        arguments: [
            "mistral-tiny/plain", "mistral-tiny/wide", "mistral-tiny/whole", "mistral-tiny/sequence-classification",
            "qwen2-tiny/plain", "qwen2-tiny/windowed", "qwen2-tiny/sequence-classification", "qwen3-tiny/plain",
            "qwen3-tiny/windowed", "qwen3-tiny/sequence-classification", "smollm3-tiny/plain", "smollm3-tiny/listed",
            "smollm3-tiny/sequence-classification", "gemma-tiny/plain", "gemma-tiny/everything",
            "gemma-tiny/sequence-classification", "gemma2-tiny/plain", "gemma2-tiny/everything",
            "gemma2-tiny/sequence-classification", "gemma3-tiny/plain", "gemma3-tiny/plain-v4",
            "gemma3-tiny/everything", "gemma3-tiny/images", "gemma3-tiny/sequence-classification",
            "llama-tiny/bare-yarn",
            "llama-tiny/bare-dynamic", "phi3-tiny/plain", "phi3-tiny/long", "phi3-tiny/beyond",
            "phi3-tiny/sequence-classification",
            "olmo2-tiny/plain", "olmo2-tiny/everything", "olmo2-tiny/sequence-classification",
        ])
    func hiddenStatesEqual(name: String) throws {
        let folder = Goldens.path(name)
        let rows = try Goldens.rows(try JSON(contentsOf: folder + "/../inputs.json"))
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        for (layer, states) in try hiddenStates(folder, rows).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 6e-5, "layer \(layer): \(difference)")
        }
    }

    @Test("A model takes longer texts than its first ones where it is said how these turn")
    func lengthOfLongRope() throws {
        let model = try Architectures.load(path: Goldens.path("phi3-tiny/beyond"), precision: .float32)
        #expect(model.shape.maximumLength == 96 && model.shape.textBorders == [11])
        let rotary: JSON = ["rope_type": "longrope", "short_factor": [1, 2, 3], "partial_rotary_factor": 0.75]
        let folder = try Goldens.copyOfModel(
            "phi3-tiny/plain",
            changing: ["rope_parameters": rotary, "original_max_position_embeddings": 9])
        let short = try Architectures.load(path: folder, precision: .float32)
        #expect(short.shape.maximumLength == 9 && short.shape.textBorders.isEmpty)
    }

    @Test(
        "Rotary settings that do not fit the heads are refused by name",
        arguments: [
            ("rope_parameters", ["rope_type": "longrope", "short_factor": [1, 2, 3]], .corruptFile),
            ("rope_parameters", ["rope_type": "longrope", "short_factor": [1, 2, 3, 0]], .corruptFile),
            (
                "rope_parameters", ["rope_type": "longrope", "short_factor": [1, 2, 3, 4], "long_factor": [1, 2, 3]],
                .corruptFile
            ),
            (
                "rope_parameters",
                ["rope_type": "longrope", "short_factor": [1, 2, 3, 4], "long_factor": [1, 2, -3, 4]], .corruptFile
            ),
            ("rope_parameters", ["rope_type": "su", "short_factor": "many"], .corruptFile),
            ("partial_rotary_factor", 0.4, .unsupported), ("partial_rotary_factor", 2, .unsupported),
        ] as [(String, JSON, GraftError.Code)])
    func refusedRotary(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel(
            "phi3-tiny/plain", changing: ["rope_parameters": [:]].merging([key: value]) { $1 })
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
