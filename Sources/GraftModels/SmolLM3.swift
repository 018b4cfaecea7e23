import GraftFormats
import GraftLayers
import GraftTensor

/// SmolLM3 (Bakouch et al. 2025): Llama, where in each fourth layer, or where config.json says,
/// heads do not turn by their positions (Yang et al. 2025).
enum SmolLM3: Architecture {
    static let conventions = Llama.conventions.named("smollm3", className: "SmolLM3")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try LlamaConfiguration(
            folder.config, path: folder.path,
            .init(
                keyValueHeadCount: 4, maximumLength: 32_768, rotaryBase: 2_000_000, rotaryPlace: .skipping,
                tiesEmbeddings: true, paddingToken: 128_004, endToken: 128_001))
        return try Llama.load(folder, conventions, configuration, precision: precision, team: team)
    }
}
