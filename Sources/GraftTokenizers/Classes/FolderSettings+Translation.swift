import GraftFormats
import GraftTensor

/// Marian's tokenizer: a text becomes the pieces that SentencePiece makes of it with the file of
/// the source's language, ids become text with the file of the target's, and one vocabulary has the
/// ids of both files' pieces.
extension FolderSettings {
    /// - Parameter files: the vocabulary, and the files of both languages.
    func translationParts(_ files: [MappedFile]) throws(GraftError) -> TokenizerParts {
        guard try configuration.optionalBool("separate_vocabs") != true else {
            throw GraftError(
                .unsupported,
                "\(source): separate_vocabs is true: expected one vocabulary for both languages, and false")
        }
        let vocabulary = try ModelFile.vocabulary(of: files[0])
        guard let unknown = vocabulary.id(of: names["unk_token"] ?? "") else {
            throw GraftError(
                .incompatible,
                "\(files[0].path): expected unk_token \(JSON.string(names["unk_token"] ?? "").shortText) among the tokens"
            )
        }
        let (from, to) = (try SentencePieceFile(files[1]), try SentencePieceFile(files[2]))
        let pieces = try SentencePieceVocabulary(from, from.pieces.indices.map { .piece($0) })
        var parts = try sentencePieceParts(from, pieces, known)
        parts.model = RenumberedPieces(parts.model, pieces, in: vocabulary, unknown: unknown)
        let codes = LanguageCodes(vocabulary, unknown: unknown, before: parts.normalizers)
        parts.normalizers = [codes]
        parts.preTokenizers.insert(codes, at: 0)
        let special = Set(namedContents.compactMap { $0.value.stringValue.map { Array($0.utf8) } })
        let known = try SentencePieceVocabulary(to, to.pieces.indices.map { .piece($0) })
        parts.decoders = [TranslationDecoder(SentencePieceDecoder(to, showsUnknown: false, pieces: known), special)]
        return parts
    }
}

/// The pieces of a file of SentencePiece by the ids that another vocabulary has for them.
private final class RenumberedPieces: TokenModel {
    let vocabulary: Vocabulary
    let unknown: Int32?
    private let pieces: any TokenModel
    /// By the piece's number in its file.
    private let ids: [Int32]

    init(_ pieces: any TokenModel, _ file: SentencePieceVocabulary, in vocabulary: Vocabulary, unknown: Int32) {
        self.pieces = pieces
        self.vocabulary = vocabulary
        self.unknown = unknown
        ids = file.kinds.indices.map { number in
            file.words.withToken(Int32(number)) { vocabulary.id(of: $0) ?? unknown } ?? unknown
        }
    }

    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        let first = tokens.count
        try pieces.tokenize(text, limit: limit, into: &tokens, with: &scratch)
        for index in first..<tokens.count where text.pieces[Int(tokens[index].piece)].isText {
            let token = tokens[index]
            guard token.id == pieces.unknown else {
                tokens[index].id = ids[Int(token.id)]
                continue
            }
            // What is no piece of this file may be one of the other.
            let spelling = text.view.bytes[Int(token.start)..<Int(token.end)]
            tokens[index].id = vocabulary.id(of: UnsafeBufferPointer(rebasing: spelling)) ?? unknown ?? 0
        }
    }
}

/// A code such as `>>fra<<` before a text says which language to translate into. It is one token,
/// and what follows is a text of its own.
private struct LanguageCodes: Normalizer, PreTokenizer {
    private static let (opening, closing) = (Array(">>".utf8), Array("<<".utf8))
    private let vocabulary: Vocabulary
    private let unknown: Int32
    /// For what follows.
    private let normalizers: [any Normalizer]

    init(_ vocabulary: Vocabulary, unknown: Int32, before normalizers: [any Normalizer]) {
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.normalizers = normalizers
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        let end = Self.end(source, range)
        out.copy(source, range.lowerBound, end)
        for normalizer in normalizers { try normalizer.normalize(source, end..<range.upperBound, into: &out) }
    }

    func divide(_ text: inout WorkingText) throws(GraftError) {
        try text.divide { (source, range, parts) throws(GraftError) in
            let end = Self.end(source, range)
            if end > range.lowerBound {
                let code = UnsafeBufferPointer(rebasing: source.bytes[range.lowerBound..<end])
                parts.append(Piece(range.lowerBound, end, token: vocabulary.id(of: code) ?? unknown))
            }
            if end < range.upperBound { parts.append(Piece(end, range.upperBound)) }
        }
    }

    /// Where a code ends; where the range begins without one.
    private static func end(_ source: TextView, _ range: Range<Int>) -> Int {
        guard source.bytes[range].starts(with: opening) else { return range.lowerBound }
        let found = ByteSearch.first(closing, in: source.bytes, from: range.lowerBound, to: range.upperBound)
        return found.map { $0 + closing.count } ?? range.lowerBound
    }
}

/// Special tokens are spelled as they are, with a space after each; between them pieces are the
/// text that SentencePiece makes of them. White space around the whole is left out.
private struct TranslationDecoder: TokenDecoder {
    private let pieces: SentencePieceDecoder
    private let special: Set<[UInt8]>

    init(_ pieces: SentencePieceDecoder, _ special: Set<[UInt8]>) {
        self.pieces = pieces
        self.special = special
    }

    func decode(_ tokens: TokenTexts) throws(GraftError) -> TokenTexts {
        var text: [UInt8] = []
        var run = TokenTexts()
        for index in 0..<tokens.count {
            guard special.contains(Array(tokens[index])) else {
                run.append(tokens[index])
                continue
            }
            text += pieces.decode(run).bytes
            run = TokenTexts()
            text += tokens[index] + [UInt8(ascii: " ")]
        }
        text += pieces.decode(run).bytes
        text = ByteSearch.replacing(Array("\u{2581}".utf8), with: [UInt8(ascii: " ")], in: text)
        var result = TokenTexts()
        result.append(Self.trimmed(text))
        return result
    }

    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? { pieces.bytesOfEach(tokens) }

    private static func trimmed(_ text: [UInt8]) -> Substring.UTF8View {
        var rest = Substring(String(decoding: text, as: UTF8.self)).unicodeScalars
        while let first = rest.first, CharacterClasses.isWhitespace(first) { rest.removeFirst() }
        while let last = rest.last, CharacterClasses.isWhitespace(last) { rest.removeLast() }
        return Substring(rest).utf8
    }
}
