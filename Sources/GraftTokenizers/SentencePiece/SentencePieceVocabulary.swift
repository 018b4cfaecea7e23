import GraftTensor

/// Pieces with their ids, which a class of transformers may have moved, and what each is.
struct SentencePieceVocabulary: Sendable {
    /// A token as it is listed: a piece of the file by its place, or one that a class adds.
    enum Listed {
        case piece(Int)
        case added(String, PieceKind)
    }

    private(set) var words: Vocabulary
    /// By id.
    private(set) var scores: [Float] = []
    private(set) var kinds: [PieceKind] = []
    private(set) var unknown: Int32 = 0
    /// Tokens of the 256 bytes; nil without byte fallback.
    private(set) var byteIDs: [Int32]?
    private(set) var hasUnused = false

    /// - Parameter listed: the tokens in the order of their ids, an unknown one among them.
    init(_ file: SentencePieceFile, _ listed: [Listed]) throws(GraftError) {
        try Memory.require(64 * listed.count, to: "the pieces of \(file.source)")
        words = Vocabulary(count: listed.count)
        scores.reserveCapacity(listed.count)
        kinds.reserveCapacity(listed.count)
        for token in listed {
            switch token {
            case .piece(let place):
                let piece = file.pieces[place]
                try add(piece.bytes, piece.score, piece.kind, file)
            case .added(let text, let kind):
                try Array(text.utf8).withUnsafeBufferPointer { (text) throws(GraftError) in
                    try add(text, 0, kind, file)
                }
            }
        }
        if file.fallsBackToBytes {
            let found = words.byteTokens()
            guard found.allSatisfy({ $0 >= 0 && kinds[Int($0)] == .byte }) else {
                throw GraftError(.corruptFile, "\(file.source): byte_fallback is true: expected 256 byte pieces")
            }
            byteIDs = found
        }
    }

    private mutating func add(
        _ text: UnsafeBufferPointer<UInt8>, _ score: Float, _ kind: PieceKind, _ file: SentencePieceFile
    ) throws(GraftError) {
        let id = scores.count
        guard words.id(of: text) == nil else {
            throw GraftError(
                .corruptFile,
                "\(file.source): the piece \"\(String(decoding: text.prefix(40), as: UTF8.self))\" is twice there")
        }
        try words.add(text, id: id, isListed: true)
        scores.append(score)
        kinds.append(kind)
        if kind == .unknown { unknown = Int32(id) }
        if kind == .unused { hasUnused = true }
    }

    /// The token that a part of a text is; nil where it is none.
    func id(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
        words.id(of: text).flatMap { kinds[Int($0)].isText ? $0 : nil }
    }

    /// Whether texts can be cut where words begin and the parts encoded by themselves: no piece
    /// goes on into another word, and what stands for a space is never unknown.
    ///
    /// - Parameter mark: what stands for a space.
    func fallsIntoWords(mark: [UInt8], marksEnds: Bool) -> Bool {
        let known = mark.withUnsafeBufferPointer { id(of: $0) }.map { kinds[Int($0)] != .unused } ?? false
        guard known || byteIDs != nil else { return false }
        for id in kinds.indices where kinds[id].isText {
            let isOfWord = words.withToken(Int32(id)) { text in
                SentencePieceWords.firstBoundary(text, mark, marksEnds: marksEnds) == nil
            }
            if isOfWord == false { return false }
        }
        return true
    }
}
