import GraftFormats
import GraftTensor

/// How a text that is too long for a model is shortened, as in Hugging Face `tokenizers`.
package struct Truncation: Equatable, Sendable {
    package enum Strategy: String, Sendable {
        /// The longer of two texts first, until both are of one length; then both.
        case longestFirst = "LongestFirst"
        case onlyFirst = "OnlyFirst"
        case onlySecond = "OnlySecond"
    }

    package enum Side: String, Sendable {
        case left = "Left"
        case right = "Right"
    }

    /// Most tokens of the whole encoding, those that the tokenizer adds included.
    package var maximumLength: Int
    package var strategy: Strategy
    /// The side where tokens are dropped.
    package var side: Side
    /// How many tokens two windows share, where all windows of a text are asked for.
    package var stride: Int

    package init(maximumLength: Int, strategy: Strategy = .longestFirst, side: Side = .right, stride: Int = 0) {
        self.maximumLength = maximumLength
        self.strategy = strategy
        self.side = side
        self.stride = stride
    }

    init(_ settings: JSONObject) throws(GraftError) {
        maximumLength = try settings.int("max_length")
        stride = try settings.optionalInt("stride") ?? 0
        guard maximumLength >= 0, stride >= 0 else {
            throw settings.unexpected(maximumLength < 0 ? "max_length" : "stride", expected: "0 or more")
        }
        guard let strategy = Strategy(rawValue: try settings.string("strategy")) else {
            throw settings.unexpected("strategy", expected: "LongestFirst, OnlyFirst or OnlySecond")
        }
        self.strategy = strategy
        guard let side = Side(rawValue: try settings.optionalString("direction") ?? "Right") else {
            throw settings.unexpected("direction", expected: "Left or Right")
        }
        self.side = side
    }

    /// How many tokens of each text stay, where there is room for `room` tokens in all.
    ///
    /// - Parameter second: nil without a second text.
    func lengths(first: Int, second: Int?, room: Int) throws(GraftError) -> (first: Int, second: Int) {
        let total = first + (second ?? 0)
        if total <= room { return (first, second ?? 0) }
        if room == 0 { return (0, 0) }
        let excess = total - room
        switch strategy {
        case .longestFirst:
            guard let second else { return (room, 0) }
            let shorter = min(first, second)
            var lengths = (shorter: shorter, longer: shorter > room ? shorter : max(shorter, room - shorter))
            if lengths.shorter + lengths.longer > room { lengths = (room / 2, room / 2 + room % 2) }
            return first > second ? (lengths.longer, lengths.shorter) : (lengths.shorter, lengths.longer)
        case .onlyFirst:
            guard first > excess else { throw tooShort("first", first, excess) }
            return (first - excess, second ?? 0)
        case .onlySecond:
            guard let second else {
                throw GraftError(.invalidArgument, "truncation of the second text only, but there is no second text")
            }
            guard second > excess else { throw tooShort("second", second, excess) }
            return (first, second - excess)
        }
    }

    private func tooShort(_ which: String, _ length: Int, _ excess: Int) -> GraftError {
        GraftError(
            .invalidArgument,
            "\(excess) tokens too many for a maximum of \(maximumLength), and only the \(which) text, of \(length), "
                + "may be shortened")
    }
}
