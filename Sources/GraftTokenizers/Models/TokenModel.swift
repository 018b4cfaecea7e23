import GraftTensor

/// A token as the model finds it: its id, the bytes of the working text it covers, and the piece it
/// is in.
struct FoundToken: BitwiseCopyable {
    var id: Int32
    var start: Int32
    var end: Int32
    var piece: Int32
}

/// The stage that turns a word into tokens: WordPiece, byte-pair encoding, Unigram.
protocol TokenModel: AnyObject, Sendable {
    var vocabulary: Vocabulary { get }
    /// The token of what is not in the vocabulary; nil where the model has none.
    var unknown: Int32? { get }

    /// Appends the tokens of every piece to `tokens`; stops after the piece that fills `limit`, if
    /// there is one.
    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError)
}

/// A model that cuts each word by itself, whatever stands around it, and keeps the tokens of words
/// met before.
protocol WordwiseModel: TokenModel {
    /// Appends the tokens of one piece of text.
    func appendTokens(
        of view: TextView, _ piece: Piece, _ index: Int32, to tokens: inout Buffer<FoundToken>,
        _ scratch: inout ModelScratch
    ) throws(GraftError)
}

extension WordwiseModel {
    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        try tokenizeWords(of: text, limit: limit, into: &tokens, with: &scratch)
    }

    func tokenizeWords(
        of text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        let view = text.view
        let limit = limit.map { tokens.count + $0 }
        for index in 0..<text.pieces.count {
            try Memory.check()
            let piece = text.pieces[index]
            guard piece.isText else {
                tokens.append(FoundToken(id: piece.token, start: piece.start, end: piece.end, piece: Int32(index)))
                continue
            }
            let count = piece.range.count
            if count <= WordCache.longestWord {
                let key = WordCache.Key(view.base + piece.range.lowerBound, count: count)
                if !scratch.cache.append(key, length: count, start: piece.start, piece: Int32(index), to: &tokens) {
                    let first = tokens.count
                    try appendTokens(of: view, piece, Int32(index), to: &tokens, &scratch)
                    scratch.cache.keep(key, length: count, start: piece.start, tokens: tokens, from: first)
                }
            } else {
                try appendTokens(of: view, piece, Int32(index), to: &tokens, &scratch)
            }
            if let limit, tokens.count >= limit { break }
        }
    }
}

/// Memory that a model needs while it works, kept from call to call and used by one thread at a
/// time.
struct ModelScratch: ~Copyable {
    /// For WordPiece: hashes of a word's beginnings.
    var hashes = Buffer<UInt64>(capacity: 256)
    /// For byte-pair encoding: the word under way.
    var chain = SymbolChain()
    /// For SentencePiece's byte-pair encoding: the text under way.
    var joined = JoinedPieces()
    /// For Unigram: the best ways to the places of the word under way.
    var ways = Buffer<Unigram.Way>(capacity: 256)
    /// For byte-pair encoding and Unigram: words met before.
    var cache = WordCache()

    /// Gives back what a long word took.
    mutating func release() {
        hashes.releaseIfLarger(than: 1 << 16)
        chain.release()
        joined.release()
        ways.releaseIfLarger(than: 1 << 16)
    }
}
