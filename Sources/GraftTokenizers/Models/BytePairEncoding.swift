import GraftFormats
import GraftTensor

/// Byte-pair encoding (Sennrich et al. 2016): a word starts as its characters, and the two
/// neighbours whose merge was learnt first are joined, again and again. For byte-level models the
/// characters stand for bytes (see `ByteLevelAlphabet`); for SentencePiece's, characters that are
/// not in the vocabulary fall back to tokens such as `<0xE4>`.
final class BytePairEncoding: WordwiseModel {
    let vocabulary: Vocabulary
    private let merges: MergeTable
    private let unknownToken: (name: String, id: Int32?)?
    var unknown: Int32? { unknownToken?.id }
    private let fusesUnknown: Bool
    /// Whether a word that is a token is that token, however it would merge.
    private let takesWholeWords: Bool
    /// Tokens of the 256 bytes; nil without byte fallback. -1 where the vocabulary lacks one.
    private let byteIDs: [Int32]?
    /// What begins all characters of a word but the first.
    private let continuingPrefix: [UInt8]
    /// What ends the last character of a word.
    private let endingSuffix: [UInt8]
    /// Tokens of the characters below U+0800 by themselves; -1 for none.
    private let shortIDs: [Int32]

    init(
        vocabulary: Vocabulary, merges: MergeTable, unknownToken: String? = nil, fusesUnknown: Bool = false,
        takesWholeWords: Bool = false, fallsBackToBytes: Bool = false, continuingPrefix: [UInt8] = [],
        endingSuffix: [UInt8] = []
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.unknownToken = unknownToken.map { ($0, vocabulary.id(of: $0)) }
        self.fusesUnknown = fusesUnknown
        self.takesWholeWords = takesWholeWords
        self.continuingPrefix = continuingPrefix
        self.endingSuffix = endingSuffix
        byteIDs = fallsBackToBytes ? vocabulary.byteTokens() : nil
        shortIDs = (0..<0x800).map { value in
            Unicode.Scalar(UInt16(value)).flatMap { vocabulary.id(of: String($0)) } ?? -1
        }
    }

    convenience init(_ file: ModelFile) throws(GraftError) {
        let settings = file.settings
        guard let bytes = file.merges else { throw settings.unexpected("merges", expected: "an array") }
        if let dropout = try settings.optionalDouble("dropout"), dropout != 0 {
            throw GraftError(.unsupported, "\(file.source): model.dropout is \(dropout): only 0 is supported")
        }
        let prefix = Array((try settings.optionalString("continuing_subword_prefix") ?? "").utf8)
        self.init(
            vocabulary: file.vocabulary,
            merges: try MergeTable(bytes, vocabulary: file.vocabulary, prefix: prefix, source: file.source),
            unknownToken: try settings.optionalString("unk_token"),
            fusesUnknown: try settings.optionalBool("fuse_unk") ?? false,
            takesWholeWords: try settings.optionalBool("ignore_merges") ?? false,
            fallsBackToBytes: try settings.optionalBool("byte_fallback") ?? false, continuingPrefix: prefix,
            endingSuffix: Array((try settings.optionalString("end_of_word_suffix") ?? "").utf8))
    }

    /// Whether it adds nothing to characters, merges all words alike, and has a token for every
    /// byte.
    var isPlainWithBytes: Bool {
        continuingPrefix.isEmpty && endingSuffix.isEmpty && !takesWholeWords && byteIDs?.contains(-1) == false
    }

    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        try requireMemory(for: text)
        try tokenizeWords(of: text, limit: limit, into: &tokens, with: &scratch)
    }

    /// Where prefix and suffix fall back to bytes, a text may become many times as many tokens.
    private func requireMemory(for text: borrowing WorkingText) throws(GraftError) {
        guard byteIDs != nil, !continuingPrefix.isEmpty || !endingSuffix.isEmpty else { return }
        let (ofPrefixes, isMore) = text.view.count.multipliedReportingOverflow(by: continuingPrefix.count)
        let (ofSuffixes, isMoreYet) = text.pieces.count.multipliedReportingOverflow(by: endingSuffix.count)
        let most = WorkingText.maximumCount
        guard !isMore, !isMoreYet, ofPrefixes < most, ofSuffixes < most, ofPrefixes + ofSuffixes < most else {
            throw GraftError(
                .invalidArgument,
                "a text of \(text.view.count) bytes in \(text.pieces.count) words is too long with a prefix of "
                    + "\(continuingPrefix.count) and a suffix of \(endingSuffix.count) bytes for each")
        }
        let bytes = MemoryLayout<FoundToken>.stride + MemoryLayout<SymbolChain.Symbol>.stride
        try Memory.require(2 * bytes * (ofPrefixes + ofSuffixes), to: "encoding a text with its prefixes and suffixes")
    }

    func appendTokens(
        of view: TextView, _ piece: Piece, _ index: Int32, to tokens: inout Buffer<FoundToken>,
        _ scratch: inout ModelScratch
    ) throws(GraftError) {
        let range = piece.range
        if takesWholeWords, let id = vocabulary.id(of: UnsafeBufferPointer(rebasing: view.bytes[range])) {
            tokens.append(FoundToken(id: id, start: piece.start, end: piece.end, piece: index))
            return
        }
        scratch.chain.removeAll()
        try appendSymbols(of: view, range, to: &scratch.chain)
        scratch.chain.mergeAll(merges)
        scratch.chain.appendTokens(start: piece.start, piece: index, to: &tokens)
    }

    private func appendSymbols(of view: TextView, _ range: Range<Int>, to chain: inout SymbolChain) throws(GraftError) {
        // Unknown characters that wait for the next known one.
        var waiting = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = view.scalar(at: position)
            let isFirst = position == range.lowerBound
            let isLast = position + length == range.upperBound
            let id = symbolID(view, position, scalar, length, isFirst, isLast)
            if id >= 0 {
                if waiting > 0 { chain.append(id: try unknownID(), length: waiting) }
                waiting = 0
                chain.append(id: id, length: length)
            } else if !appendBytes(of: view, position, length, isFirst, isLast, to: &chain), unknownToken != nil {
                if waiting > 0, !fusesUnknown {
                    chain.append(id: try unknownID(), length: waiting)
                    waiting = 0
                }
                _ = try unknownID()
                waiting += length
            }
            position += length
        }
        if waiting > 0 { chain.append(id: try unknownID(), length: waiting) }
    }

    /// The token of a character; -1 for none.
    @inline(__always)
    private func symbolID(
        _ view: TextView, _ position: Int, _ scalar: UInt32, _ length: Int, _ isFirst: Bool, _ isLast: Bool
    ) -> Int32 {
        let isPlain = (isFirst || continuingPrefix.isEmpty) && (!isLast || endingSuffix.isEmpty)
        if isPlain, scalar < 0x800 { return shortIDs[Int(scalar)] }
        if isPlain {
            return vocabulary.id(of: UnsafeBufferPointer(start: view.base + position, count: length)) ?? -1
        }
        return symbol(view, position, length, isFirst, isLast).withUnsafeBufferPointer { vocabulary.id(of: $0) } ?? -1
    }

    /// A character with its prefix and suffix.
    private func symbol(
        _ view: TextView, _ position: Int, _ length: Int, _ isFirst: Bool, _ isLast: Bool
    ) -> [UInt8] {
        (isFirst ? [] : continuingPrefix) + view.bytes[position..<position + length] + (isLast ? endingSuffix : [])
    }

    /// Appends a character as tokens of its bytes; false if there is no byte fallback, or not for
    /// all of them.
    private func appendBytes(
        of view: TextView, _ position: Int, _ length: Int, _ isFirst: Bool, _ isLast: Bool, to chain: inout SymbolChain
    ) -> Bool {
        guard let byteIDs else { return false }
        let bytes = symbol(view, position, length, isFirst, isLast)
        guard bytes.allSatisfy({ byteIDs[Int($0)] >= 0 }) else { return false }
        for byte in bytes { chain.append(id: byteIDs[Int(byte)], length: 1) }
        return true
    }

    private func unknownID() throws(GraftError) -> Int32 {
        guard let id = unknown else {
            throw GraftError(
                .incompatible,
                "a character is not in the vocabulary, and neither is the unknown token \"\(unknownToken?.name ?? "")\""
            )
        }
        return id
    }
}
