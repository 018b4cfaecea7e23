import GraftFormats
import GraftTensor

/// What a class of transformers makes of files that are older than `tokenizer.json`: which files it
/// reads, which stages are around the model, which tokens around a text. A new class is one entry
/// of `all`.
struct TokenizerClass: Sendable {
    /// Who cuts a text into the pieces of a file of SentencePiece.
    enum Pieces {
        /// SentencePiece itself, and what it does to a text before.
        case sentencePiece
        /// Hugging Face's `tokenizers`, with the class's own stages around.
        case unigram, bytePairs
    }

    /// Sets the stages of a tokenizer; the map of characters is that of its file.
    typealias Surroundings = @Sendable (FolderSettings, CharacterMap?, inout TokenizerParts) throws(GraftError) -> Void

    let name: String
    /// Names of the same class.
    var aliases: [String] = []
    let modelTypes: [String]
    let files: TokenizerFiles
    var pieces = Pieces.sentencePiece
    /// The special tokens that it has without being told, by role.
    let special: [String: String]
    /// Roles of special tokens beyond those that all classes have.
    var furtherRoles: [String] = []
    /// Whether the token that masks others takes the white space before it along.
    var maskStripsLeft = false
    /// Tokens in place of the first three of a file of SentencePiece, and those behind all:
    /// fairseq's order.
    var fairseq: (beginning: [String], end: [String])?
    /// The unknown piece's id; nil where the file says it.
    var unknownID: Int?
    /// How many `<extra_id_…>` follow the pieces, the last first, where nothing says it.
    var extraCount = 0
    /// Whether `legacy` and `add_prefix_space` say where a mark for a space is put before a text.
    var choosesPrefix = false
    /// Normalizers, pre-tokenizers and decoders.
    var stages: Surroundings = { (_, _, _) in }
    /// What is put around a text, and around two: `A` and `B` among roles of special tokens, with a
    /// type id that is not 0 behind a colon. What ends in `?` is there where `add_bos_token` and
    /// `add_eos_token` say so.
    let single: String
    let pair: String
    /// Whether `add_bos_token` is true where nothing says it.
    var addsBeginning = false
    /// Whether offsets are without the white space around words.
    var trimsOffsets = false

    static func named(_ name: String?) -> TokenizerClass? {
        guard let name else { return nil }
        return all.first { $0.name == name || $0.aliases.contains(name) }
    }
}

extension TokenizerFiles {
    /// The class of files beside which none is named, by the model's type; of a type that is known
    /// with other files a name that no class has.
    func usualClass(_ modelType: String?) -> String? {
        guard let modelType else { return self == .pieces ? nil : TokenizerClass.all.first { $0.files == self }?.name }
        let known = TokenizerClass.all.first { $0.files == self && $0.modelTypes.contains(modelType) }
        return known?.name ?? "that of model_type \(modelType)"
    }
}
