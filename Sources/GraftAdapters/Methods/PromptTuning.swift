import GraftFormats
import GraftLayers
import GraftTensor
import GraftTokenizers

/// Prompt tuning (Lester et al. 2021): tokens of its own before those of every row, whose
/// embeddings it learns.
///
/// P [num_virtual_tokens, width] takes the place of words' embeddings; positions and norms are as
/// for any token.
package struct PromptTuning: PromptLearning {
    package static let name = "prompt_tuning"
    package static let typeName: String? = "PROMPT_TUNING"

    static let ownDefaults: [(key: String, value: JSON)] = [
        ("prompt_tuning_init", .string("RANDOM")), ("prompt_tuning_init_text", .null), ("tokenizer_kwargs", .null),
        ("tokenizer_name_or_path", .null),
    ]
    /// How the embeddings began is of no consequence to one that has learned.
    package static var withoutEffect: Set<String> {
        PrefixTuning.withoutEffect.union(ownDefaults.map(\.key))
    }

    private enum Start { case random, vocabulary, text(String, tokenizer: String) }

    private let common: PromptSettings
    private let start: Start
    private let place: String

    static func tokenSize(of model: Model) -> (width: Int, headCount: Int) {
        (model.shape.embeddingWidth, model.shape.headCount)
    }

    package init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError) {
        self.place = place
        common = try PromptSettings(
            settings, own: Set(Self.ownDefaults.map(\.key)), of: Self.self, use: use, place: place)
        start = common.isOfFile ? .random : try Self.start(settings, place)
    }

    private static func start(_ settings: JSONObject, _ place: String) throws(GraftError) -> Start {
        let name = try settings.optionalString("prompt_tuning_init") ?? "RANDOM"
        guard settings["tokenizer_kwargs"]?.isOff ?? true else {
            throw GraftError(.unsupported, "\(place): tokenizer_kwargs, which this build does not do; expected null")
        }
        switch name {
        case "RANDOM": return .random
        case "SAMPLE_VOCAB": return .vocabulary
        case "TEXT":
            guard let text = try settings.optionalString("prompt_tuning_init_text"),
                let tokenizer = try settings.optionalString("tokenizer_name_or_path")
            else {
                throw GraftError(
                    .invalidArgument,
                    "\(place): prompt_tuning_init \"TEXT\" needs prompt_tuning_init_text and tokenizer_name_or_path, a "
                        + "folder")
            }
            return .text(text, tokenizer: tokenizer)
        default:
            throw GraftError(
                .invalidArgument,
                "\(place): prompt_tuning_init must be \"RANDOM\", \"SAMPLE_VOCAB\" or \"TEXT\", found \"\(name)\"")
        }
    }

    package func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError) {
        let model = names.model
        let width = model.shape.embeddingWidth
        try common.check(model)
        let rows = try plan.add(
            PromptSettings.tensor, shape: [common.count, width],
            use == .create ? try initial(model.sites[model.vocabulary.words]) : .zero)
        plan.prompt = EmbeddedRows(rows, count: common.count, width: width)
    }

    /// A text is repeated where it has fewer tokens than there are, and cut where it has more.
    private func initial(_ words: Site) throws(GraftError) -> PlannedTensor.Initial {
        switch start {
        case .random: return .normal(deviation: 1)
        case .vocabulary: return .rows(nil, of: words)
        case .text(let text, let folder):
            let ids = try Tokenizer(folder: folder).encode(text, Tokenizer.Options(shortening: .none)).ids
            guard !ids.isEmpty, ids.allSatisfy({ $0 >= 0 && Int($0) < words.inputs }) else {
                throw GraftError(
                    .incompatible,
                    "\(place): prompt_tuning_init_text has \(ids.isEmpty ? "no tokens" : "tokens that the model has not") "
                        + "by the tokenizer at \(folder)")
            }
            return .rows(ids, of: words)
        }
    }
}
