import GraftTensor

/// A token as the model finds it: its id, the bytes of the working text it covers, and the piece it
/// is in.
struct FoundToken: BitwiseCopyable {
    var id: Int32
    var start: Int32
    var end: Int32
    var piece: Int32
}

/// The stage that turns a word into tokens: WordPiece, byte-pair encoding.
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

/// Memory that a model needs while it works, kept from call to call and used by one thread at a
/// time.
struct ModelScratch: ~Copyable {
    /// For WordPiece: hashes of a word's beginnings.
    var hashes = Buffer<UInt64>(capacity: 256)
    /// For byte-pair encoding: the word under way.
    var chain = SymbolChain()
    /// For byte-pair encoding: words met before.
    var cache = WordCache()
}
