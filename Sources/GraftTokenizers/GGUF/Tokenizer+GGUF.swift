import GraftFormats
import GraftTensor

/// The tokenizer inside a GGUF file, put together from the stages of a `tokenizer.json` so that it
/// does what llama.cpp does with the file.
extension Tokenizer {
    package convenience init(gguf file: GGUFFile) throws(GraftError) {
        let header = file.header
        let model = try header.string("tokenizer.ggml.model")
        var (parts, tokens): (TokenizerParts, GGUFTokens)
        switch model {
        case "gpt2": (parts, tokens) = try Self.byteLevel(file)
        case "llama": (parts, tokens) = try Self.sentencePiece(file)
        case "bert": (parts, tokens) = try Self.wordPiece(file)
        default:
            throw GraftError(
                .unsupported,
                "\(file.path): tokenizer.ggml.model \(JSON.string(model).shortText) is not known to this build, which has "
                    + "gpt2, llama, bert")
        }
        parts.addedTokens = tokens.addedTokens
        let architecture = try header.optionalString("general.architecture") ?? ""
        if let length = try header.optionalInt("\(architecture).context_length"), length > 0, length < Self.unlimited {
            parts.truncation = Truncation(maximumLength: length)
        }
        let named = try tokens.named()
        try self.init(
            parts, names: try SpecialTokenNames([named]), namedTokens: named, chatTemplates: try ChatTemplates(file),
            source: file.path)
    }

    /// Byte-pair encoding of bytes, with the merges in the order of the file.
    private static func byteLevel(_ file: GGUFFile) throws(GraftError) -> (TokenizerParts, GGUFTokens) {
        let tokens = try GGUFTokens(file)
        let name = try file.header.optionalString("tokenizer.ggml.pre") ?? "default"
        let words = try GGUFWords.named(name, source: file.path)
        guard let count = file.header.count(of: "tokenizer.ggml.merges") else {
            throw file.header.unexpected("tokenizer.ggml.merges", expected: "a list of texts")
        }
        let merges = try MergeTable(
            count: count, vocabulary: tokens.vocabulary, source: file.path
        ) { (body) throws(GraftError) in try file.forEachText(of: "tokenizer.ggml.merges", body) }
        var parts = TokenizerParts(
            model: BytePairEncoding(
                vocabulary: tokens.vocabulary, merges: merges, takesWholeWords: words.takesWholeWords))
        parts.preTokenizers = try words.preTokenizers()
        parts.postProcessors = try tokens.ends(addsBeginning: words.addsBeginning)
        parts.decoders = [ByteLevelDecoder()]
        return (parts, tokens)
    }

    /// SentencePiece's byte-pair encoding: of two pieces side by side those merge first that make
    /// the piece with the highest score, and of equal ones the leftmost; a character that is no
    /// piece is its bytes.
    private static func sentencePiece(_ file: GGUFFile) throws(GraftError) -> (TokenizerParts, GGUFTokens) {
        let tokens = try GGUFTokens(file)
        let scores = try file.numbers(of: "tokenizer.ggml.scores") ?? []
        guard scores.count == tokens.vocabulary.largestID + 1, !scores.contains(where: \.isNaN) else {
            throw file.header.unexpected(
                "tokenizer.ggml.scores", expected: "a number for each of \(tokens.vocabulary.largestID + 1) tokens")
        }
        let merges = try MergeTable(scores: scores, vocabulary: tokens.vocabulary)
        var parts = TokenizerParts(
            model: BytePairEncoding(
                vocabulary: tokens.vocabulary, merges: merges, unknownToken: try tokens.text("unknown"),
                fusesUnknown: true, fallsBackToBytes: true))
        let addsSpace = try file.header.optionalBool("tokenizer.ggml.add_space_prefix") ?? true
        let spaces: JSON = ["type": "Replace", "pattern": ["String": " "], "content": "▁"]
        parts.normalizers = try Stages.normalizers([
            "type": "Sequence",
            "normalizers": addsSpace ? [["type": "Prepend", "prepend": "▁"], spaces] : [spaces],
        ])
        parts.decoders = try Stages.decodersOfMarks(dropsFirst: addsSpace)
        parts.postProcessors = try tokens.ends(addsBeginning: true)
        return (parts, tokens)
    }

    /// BERT's WordPiece, whose file marks what begins a word and not what continues it.
    private static func wordPiece(_ file: GGUFFile) throws(GraftError) -> (TokenizerParts, GGUFTokens) {
        let mark = Array("▁".utf8)
        let tokens = try GGUFTokens(file) { text in
            if text.starts(with: mark) { return Array(text.dropFirst(mark.count)) }
            // Control tokens, and what reads like one.
            if text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") { return nil }
            return Array("##".utf8) + text
        }
        guard let separator = try tokens.id("seperator"), let classification = try tokens.id("cls") else {
            throw file.header.unexpected(
                "tokenizer.ggml.cls_token_id", expected: "this key and tokenizer.ggml.seperator_token_id")
        }
        var parts = TokenizerParts(
            model: WordPiece(
                vocabulary: tokens.vocabulary, unknownToken: try tokens.text("unknown") ?? "[UNK]",
                continuingPrefix: "##", maximumCharacters: 100))
        parts.normalizers = [
            BertNormalizer(cleansText: true, separatesChinese: true, stripsAccents: true, lowercases: true)
        ]
        parts.preTokenizers = [BertPreTokenizer()]
        parts.decoders = [WordPieceDecoder(prefix: "##", cleansUp: true)]
        parts.postProcessors = [BertProcessing(separator: separator, classification: classification)]
        return (parts, tokens)
    }
}
