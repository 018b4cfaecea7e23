import GraftLayers
import GraftTensor
import GraftTokenizers

/// Why a row ended, as `graft_token_end` numbers it.
package enum TokenEnd: Int32, Sendable {
    /// It goes on.
    case none = 0
    case stopToken = 1
    case stopString = 2
    /// It has as many tokens as were asked for, or as the model has positions.
    case length = 3
}

/// A token of a row, as it is handed out.
package struct NewToken {
    /// Of the batch.
    package let row: Int
    /// Which of the texts that continue this row.
    package let sample: Int
    package let id: Int32
    /// What it adds to the row's text.
    package let text: String
    package let end: TokenEnd
    /// nil where they are not asked for.
    package let logProbability: Float?
    package let likely: LogProbabilities?
}

/// A text that goes on: what chooses its tokens, and what makes text of them.
struct GenerationRow {
    let row: Int
    let sample: Int
    private let stops: Set<Int32>
    private let rules: WritingRules
    private var isFirst = true
    private var sampler: TokenSampler
    private var stream: TextStream?
    private var strings: StopStrings
    /// Tokens that may still come.
    private(set) var left: Int
    /// The latest token, which has not been through the model.
    private(set) var latest: Int32 = 0

    init(
        row: Int, sample: Int, prompt: ArraySlice<Int32>, room: Int, stops: Set<Int32>, rules: WritingRules,
        options: GenerationOptions, tokenizer: Tokenizer?
    ) throws(GraftError) {
        self.row = row
        self.sample = sample
        self.stops = stops
        self.rules = rules
        left = min(options.maximumTokens, room)
        let seed = options.rowSeeds.isEmpty ? options.seed : options.rowSeeds[row]
        try Memory.require(
            64 * prompt.count + 4 * left, to: "remembering the tokens of row \(row)")
        sampler = TokenSampler(options, stops: stops, seed: seed, sample: sample, prompt: prompt, room: left)
        stream = try tokenizer.map { tokenizer throws(GraftError) in
            try TextStream(tokenizer, after: rules.start == nil ? prompt : [])
        }
        strings = StopStrings(options.stopStrings)
    }

    /// Chooses the next token from its logits, which change.
    ///
    /// - Parameter likely: Reads the logits as they come; nil where nobody asks.
    mutating func advance(
        _ logits: UnsafeMutableBufferPointer<Float>, likely: inout LogProbabilities?
    ) throws(GraftError) -> NewToken {
        do throws(GraftError) {
            try TokenSampler.largest(logits)
            likely?.read(logits)
            rules.rule(logits, isFirst: isFirst, isLast: left == 1)
            isFirst = false
            latest = try sampler.next(logits)
        } catch {
            throw GraftError(error.code, "row \(row): \(error.message)")
        }
        left -= 1
        var end: TokenEnd = stops.contains(latest) ? .stopToken : left == 0 ? .length : .none
        let text = try text(&end)
        return NewToken(
            row: row, sample: sample, id: latest, text: text, end: end, logProbability: likely.map { $0[latest] },
            likely: likely)
    }

    /// What the latest token adds, and what was held back where it is the last.
    private mutating func text(_ end: inout TokenEnd) throws(GraftError) -> String {
        guard stream != nil else { return "" }
        var new = end == .stopToken ? "" : try stream?.append(latest) ?? ""
        if end != .none { new += try stream?.finish() ?? "" }
        let (text, hasEnded) = strings.append(new)
        if hasEnded {
            end = .stopString
            return text
        }
        return end == .none ? text : text + strings.finish()
    }
}
