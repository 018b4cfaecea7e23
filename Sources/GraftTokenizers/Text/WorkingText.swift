import GraftTensor

/// A part of the text between two stages: text still to be split and looked up, or an added token
/// that is done.
struct Piece: BitwiseCopyable {
    var start: Int32
    var end: Int32
    /// The id of an added token, or -1.
    var token: Int32 = -1

    init(_ start: Int, _ end: Int, token: Int32 = -1) {
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
        self.token = token
    }

    var isText: Bool { token < 0 }
    var range: Range<Int> { Int(start)..<Int(end) }
}

/// One text on its way through the pipeline: what it reads now, and the pieces it is divided into.
///
/// A stage either rewrites the text of the pieces or divides them further; added tokens pass by
/// untouched and empty pieces disappear. Two buffers take turns, so that the stages of one text,
/// and then the next text, reuse the memory.
struct WorkingText: ~Copyable {
    private(set) var view: TextView
    private(set) var pieces = Buffer<Piece>(capacity: 256)
    private var front = TextBuffer()
    private var back = TextBuffer()
    private var divided = Buffer<Piece>(capacity: 256)
    private var spans = Buffer<MatchSpan>(capacity: 256)

    init() {
        view = front.view
    }

    /// Starts on a text of well-formed UTF-8, which must outlive the work on it.
    mutating func begin(_ text: UnsafeBufferPointer<UInt8>) {
        front.removeAll()
        pieces.count = 0
        guard let base = text.baseAddress, text.count > 0 else {
            view = front.view
            return
        }
        view = TextView(base: base, count: text.count, alignment: nil)
        pieces.append(Piece(0, text.count))
    }

    /// Gives memory back that a very long text took.
    mutating func release() {
        let limit = 1 << 20
        front.releaseIfLarger(than: limit)
        back.releaseIfLarger(than: limit)
        pieces.releaseIfLarger(than: limit)
        divided.releaseIfLarger(than: limit)
        spans.releaseIfLarger(than: limit)
        front.removeAll()
        view = front.view
    }

    /// Writes every piece of text anew: `body` appends what becomes of a range.
    mutating func rewrite(
        _ body: (_ source: TextView, _ range: Range<Int>, _ out: inout TextBuffer) throws(GraftError) -> Void
    ) throws(GraftError) {
        try Memory.require(Self.memoryPerByte * view.count, to: "rewriting a text")
        back.removeAll()
        divided.count = 0
        for index in 0..<pieces.count {
            let piece = pieces[index]
            let start = back.count
            try Memory.check()
            if piece.isText {
                try body(view, piece.range, &back)
            } else {
                back.copy(view, piece.range.lowerBound, piece.range.upperBound)
            }
            if back.count > start { divided.append(Piece(start, back.count, token: piece.token)) }
        }
        guard back.count <= Self.maximumCount else { throw Self.tooLong(back.count) }
        swap(&front, &back)
        swap(&pieces, &divided)
        view = front.view
    }

    /// Divides every piece of text: `body` appends the parts of a range that stay. Empty parts are
    /// left out.
    mutating func divide(
        _ body: (_ source: TextView, _ range: Range<Int>, _ parts: inout Buffer<Piece>) throws(GraftError) -> Void
    ) throws(GraftError) {
        divided.count = 0
        for index in 0..<pieces.count {
            let piece = pieces[index]
            try Memory.check()
            if piece.isText {
                try body(view, piece.range, &divided)
            } else {
                divided.append(piece)
            }
        }
        swap(&pieces, &divided)
    }

    /// Divides every piece of text at matches: `body` appends spans that cover a range.
    mutating func split(
        _ behavior: SplitBehavior,
        _ body: (_ source: TextView, _ range: Range<Int>, _ spans: inout Buffer<MatchSpan>) throws(GraftError) -> Void
    ) throws(GraftError) {
        divided.count = 0
        for index in 0..<pieces.count {
            let piece = pieces[index]
            try Memory.check()
            if piece.isText {
                spans.count = 0
                try body(view, piece.range, &spans)
                behavior.appendParts(of: spans, to: &divided)
            } else {
                divided.append(piece)
            }
        }
        swap(&pieces, &divided)
    }

    /// Memory that a byte may take when it is written anew with its alignment, about.
    private static let memoryPerByte = 32

    /// Positions are kept in 32 bits.
    static let maximumCount = Int(Int32.max) / 2

    static func tooLong(_ count: Int) -> GraftError {
        GraftError(.invalidArgument, "a text of \(count) bytes is too long: at most \(maximumCount) can be encoded")
    }
}
