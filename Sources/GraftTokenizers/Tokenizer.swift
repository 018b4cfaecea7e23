import GraftFormats
import GraftTensor

/// A tokenizer as Hugging Face `tokenizers` defines it: normalise, split, look up, add special
/// tokens, and back.
///
/// It never changes after loading: any number of threads may use one.
package final class Tokenizer: Sendable {
    let normalizers: [any Normalizer]
    let preTokenizers: [any PreTokenizer]
    let model: any TokenModel
    /// The model's, without a way through the protocol.
    let vocabulary: Vocabulary
    let postProcessors: [any PostProcessor]
    /// Nil joins tokens with spaces.
    let decoders: [any TokenDecoder]?
    /// Whether decoded text is then rid of spaces before punctuation and English contractions.
    let cleansUp: Bool
    let addedTokens: AddedTokens
    /// What the files say about texts that are too long.
    package let truncation: Truncation?
    private let truncationSide: Truncation.Side
    package let specialTokens: SpecialTokens
    /// What turns conversations into texts.
    let chatTemplates: ChatTemplates
    /// The special tokens by the names that templates know them by.
    let namedTokens: JSONObject

    /// Made when first asked for.
    let tokenTree = Guarded<TokenTree?>(nil)

    private let idleScratch = Guarded<[Scratch]>([])
    private static let mostIdleScratch = 16

    /// - Parameters:
    ///   - names: of the tokens that play a part.
    ///   - namedTokens: those that templates see.
    init(
        _ parts: TokenizerParts, names: SpecialTokenNames, namedTokens: JSONObject, chatTemplates: ChatTemplates,
        source: String
    ) throws(GraftError) {
        self.chatTemplates = chatTemplates
        self.namedTokens = namedTokens
        normalizers = parts.normalizers
        preTokenizers = parts.preTokenizers
        postProcessors = parts.postProcessors
        decoders = parts.decoders
        truncation = parts.truncation
        truncationSide = parts.truncationSide
        cleansUp = parts.cleansUp
        model = parts.model
        let normalizers = parts.normalizers
        let vocabulary = parts.model.vocabulary
        self.vocabulary = vocabulary
        let addedTokens = try AddedTokens(parts.addedTokens, vocabulary: vocabulary, source: source) {
            (text) throws(GraftError) in try Self.normalized(text, by: normalizers)
        }
        self.addedTokens = addedTokens
        self.specialTokens = SpecialTokens(names) { addedTokens.id(of: $0) ?? vocabulary.id(of: $0) }
    }

    /// - Parameter settings: those of the folder; nil of a file alone.
    convenience init(_ parts: TokenizerParts, settings: FolderSettings?, source: String) throws(GraftError) {
        try self.init(
            parts, names: settings?.names ?? SpecialTokenNames(), namedTokens: settings?.namedContents ?? JSONObject(),
            chatTemplates: settings?.chatTemplates ?? ChatTemplates(source: source), source: source)
    }

    /// How many different tokens there are, added ones included.
    package var vocabularySize: Int {
        vocabulary.count + addedTokens.tokens.count { vocabulary.id(of: $0.content) == nil }
    }

    /// The largest id that an encoding can hold, so that a model's embedding can be checked for
    /// enough rows; -1 for none.
    package var largestID: Int {
        max(vocabulary.largestID, addedTokens.tokens.map { Int($0.id) }.max() ?? -1)
    }

    /// A maximum that is none.
    package static let unlimited = 1 << 30

    /// Most tokens of a row, as the files say or as options choose; nil without a limit.
    package func maximumLength(_ options: Options = Options()) -> Int? {
        truncation(options).flatMap { $0.maximumLength < Self.unlimited ? $0.maximumLength : nil }
    }

    /// How a text that is too long is shortened; nil where none is.
    func truncation(_ options: Options) -> Truncation? {
        switch options.shortening {
        case .declared: truncation
        case .none: nil
        case .length(let maximum): Truncation(maximumLength: maximum, side: truncationSide)
        case .to(let truncation): truncation
        }
    }

    package func token(for id: Int32) -> String? {
        addedTokens.token(id)?.content ?? vocabulary.token(id)
    }

    package func id(for token: String) -> Int32? {
        addedTokens.id(of: token) ?? vocabulary.id(of: token)
    }

    /// Whether a token is one of the added tokens marked special.
    package func isSpecial(_ id: Int32) -> Bool {
        addedTokens.decoded(id)?.isSpecial ?? false
    }

    /// Lends memory to `body`; it comes back afterwards, but what one very long text took goes.
    func withScratch<Result>(_ body: (Scratch) throws(GraftError) -> Result) throws(GraftError) -> Result {
        let idle = idleScratch.withLock { $0.popLast() }
        if idle == nil { try Memory.require(Scratch.size, to: "working memory to encode") }
        let scratch = idle ?? Scratch()
        defer {
            scratch.release()
            idleScratch.withLock { if $0.count < Self.mostIdleScratch { $0.append(scratch) } }
        }
        return try body(scratch)
    }

    private static func normalized(_ text: [UInt8], by normalizers: [any Normalizer]) throws(GraftError) -> [UInt8] {
        try text.withUnsafeBufferPointer { bytes throws(GraftError) in
            var work = WorkingText()
            work.begin(bytes)
            for normalizer in normalizers {
                try work.rewrite { (source, range, out) throws(GraftError) in
                    try normalizer.normalize(source, range, into: &out)
                }
            }
            return Array(work.view.bytes)
        }
    }
}

/// What a tokenizer is put together from.
struct TokenizerParts {
    var normalizers: [any Normalizer] = []
    var preTokenizers: [any PreTokenizer] = []
    var model: any TokenModel
    var postProcessors: [any PostProcessor] = []
    var decoders: [any TokenDecoder]?
    var addedTokens: [AddedToken] = []
    var truncation: Truncation?
    var truncationSide = Truncation.Side.right
    /// Whether decoded text is rid of spaces before punctuation and English contractions.
    var cleansUp = false
}
