import GraftTensor

/// What a class of transformers makes of the pieces of a file of SentencePiece: which ids they get,
/// and which tokens are put around a text. A new class is one entry.
struct SentencePieceClass: Sendable {
    /// What is put around a text.
    enum Ends {
        /// The end token behind each text.
        case end
        /// `<s> A </s>`, or `<s> A </s></s> B </s>`.
        case roberta
        /// The first token before each text, the end token behind it, as `add_bos_token` and
        /// `add_eos_token` say: the first alone where they are silent.
        case beginning
    }

    let name: String
    let modelTypes: [String]
    let ends: Ends
    /// The special tokens that it has without being told.
    let special: [String: String]
    /// Tokens in place of the file's first three, and one behind all: fairseq's order.
    var fairseq: (beginning: [String], mask: String)?
    /// How many `<extra_id_…>` follow the pieces, the last first, where nothing says it.
    var extraCount = 0
    /// Whether `legacy` and `add_prefix_space` say where a mark for a space is put before a text.
    var choosesPrefix = false

    static let all = [
        SentencePieceClass(
            name: "T5Tokenizer", modelTypes: ["t5", "mt5", "umt5"], ends: .end,
            special: ["eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"], extraCount: 100),
        SentencePieceClass(
            name: "XLMRobertaTokenizer", modelTypes: ["xlm-roberta"], ends: .roberta,
            special: FolderSettings.standardNames[FolderSettings.robertaClass] ?? [:],
            fairseq: (["<s>", "<pad>", "</s>", "<unk>"], "<mask>")),
        SentencePieceClass(
            name: "LlamaTokenizer", modelTypes: ["llama", "mistral"], ends: .beginning,
            special: FolderSettings.standardNames["LlamaTokenizer"] ?? [:], choosesPrefix: true),
        SentencePieceClass(
            name: "GemmaTokenizer", modelTypes: ["gemma", "gemma2", "gemma3", "gemma3_text"], ends: .beginning,
            special: ["bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"]),
    ]

    static func named(_ name: String?) -> SentencePieceClass? { all.first { $0.name == name } }

    /// The class that goes with a model's type; nil without a type, and of another a name that no
    /// class has.
    static func usual(_ modelType: String?) -> String? {
        guard let modelType else { return nil }
        return all.first { $0.modelTypes.contains(modelType) }?.name ?? "that of model_type \(modelType)"
    }
}
