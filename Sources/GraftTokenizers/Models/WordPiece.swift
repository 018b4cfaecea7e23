import GraftFormats
import GraftTensor

/// WordPiece (Schuster and Nakajima 2012; BERT): a word is cut into the longest token it begins
/// with, then the longest that continues it, marked with a prefix such as `##`, and so on; if that
/// fails anywhere, the word is unknown.
final class WordPiece: TokenModel {
    let vocabulary: Vocabulary
    private let continuingPrefix: [UInt8]
    private let hashOfPrefix: UInt64
    /// Words of more characters are unknown without a look.
    private let maximumCharacters: Int
    private let unknownToken: String
    /// Nil where the vocabulary lacks it: then an unknown word is an error.
    private let unknownID: Int32?
    var unknown: Int32? { unknownID }

    init(vocabulary: Vocabulary, unknownToken: String, continuingPrefix: String, maximumCharacters: Int) {
        self.vocabulary = vocabulary
        self.unknownToken = unknownToken
        self.maximumCharacters = maximumCharacters
        self.continuingPrefix = Array(continuingPrefix.utf8)
        hashOfPrefix = self.continuingPrefix.withUnsafeBufferPointer { ByteHash.of($0) }
        unknownID = vocabulary.id(of: unknownToken)
    }

    /// Whether it is as BERT's class makes it from a vocabulary.
    func isStandard(unknownToken: String?) -> Bool {
        unknownToken == self.unknownToken && continuingPrefix == Array("##".utf8) && maximumCharacters == 100
    }

    convenience init(_ settings: JSONObject, vocabulary: Vocabulary) throws(GraftError) {
        let maximumCharacters = try settings.optionalInt("max_input_chars_per_word") ?? 100
        guard maximumCharacters >= 0 else {
            throw settings.unexpected("max_input_chars_per_word", expected: "0 or more")
        }
        self.init(
            vocabulary: vocabulary,
            unknownToken: try settings.optionalString("unk_token") ?? "[UNK]",
            continuingPrefix: try settings.optionalString("continuing_subword_prefix") ?? "##",
            maximumCharacters: maximumCharacters)
    }

    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        let view = text.view
        let limit = limit.map { tokens.count + $0 }
        let noPrefix = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        for index in 0..<text.pieces.count {
            try Memory.check()
            let piece = text.pieces[index]
            if piece.isText {
                let known = continuingPrefix.withUnsafeBufferPointer {
                    cut(view, piece, Int32(index), noPrefix, $0, into: &tokens, with: &scratch)
                }
                if !known { try appendUnknown(piece, Int32(index), into: &tokens) }
            } else {
                tokens.append(FoundToken(id: piece.token, start: piece.start, end: piece.end, piece: Int32(index)))
                continue
            }
            if let limit, tokens.count >= limit { break }
        }
    }

    /// Appends the tokens of one word; false, with nothing appended, if it is unknown.
    @inline(__always)
    private func cut(
        _ view: TextView, _ piece: Piece, _ index: Int32, _ noPrefix: UnsafeBufferPointer<UInt8>,
        _ continuing: UnsafeBufferPointer<UInt8>, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) -> Bool {
        let range = piece.range
        let word = view.base + range.lowerBound
        if range.count > maximumCharacters, characterCount(word, range.count) > maximumCharacters { return false }
        let mark = tokens.count
        var start = 0
        while start < range.count {
            let prefix = start == 0 ? noPrefix : continuing
            let length = longestToken(
                word + start, range.count - start, prefix, start == 0 ? ByteHash.empty : hashOfPrefix, &scratch)
            guard let length else {
                tokens.count = mark
                return false
            }
            tokens.append(
                FoundToken(
                    id: length.id, start: piece.start + Int32(start), end: piece.start + Int32(start + length.bytes),
                    piece: index))
            start += length.bytes
        }
        return true
    }

    /// The longest token that is `prefix` and a beginning of the bytes.
    @inline(__always)
    private func longestToken(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ prefix: UnsafeBufferPointer<UInt8>, _ hashOfPrefix: UInt64,
        _ scratch: inout ModelScratch
    ) -> (id: Int32, bytes: Int)? {
        let most = min(count, vocabulary.longest - prefix.count)
        guard most > 0 else { return nil }
        scratch.hashes.count = 0
        scratch.hashes.reserve(most)
        let hashes = scratch.hashes.base
        var hash = hashOfPrefix
        for index in 0..<most {
            hash = ByteHash.adding(bytes[index], to: hash)
            hashes[index] = hash
        }
        var length = most
        while length > 0 {
            // Only whole characters: the next byte must not continue one.
            if length == count || bytes[length] & 0xC0 != 0x80,
                let id = vocabulary.id(prefix: prefix, bytes, length: length, hash: hashes[length - 1])
            {
                return (id, length)
            }
            length -= 1
        }
        return nil
    }

    private func characterCount(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var characters = 0
        for index in 0..<count where bytes[index] & 0xC0 != 0x80 { characters += 1 }
        return characters
    }

    private func appendUnknown(
        _ piece: Piece, _ index: Int32, into tokens: inout Buffer<FoundToken>
    ) throws(GraftError) {
        guard let unknownID else {
            throw GraftError(
                .incompatible, "a word is not in the vocabulary, and neither is the unknown token \"\(unknownToken)\"")
        }
        tokens.append(FoundToken(id: unknownID, start: piece.start, end: piece.end, piece: index))
    }
}
