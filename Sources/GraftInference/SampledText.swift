import CGraftKernels
import GraftLayers
import GraftTensor
import GraftTokenizers

/// Where a text begins.
struct TextStart {
    /// Of its batch, and under which its tokens are reported.
    let row: Int
    let number: Int
    /// Which of the row's texts.
    let sample: Int
    let prompt: ArraySlice<Int32>
    /// For new tokens.
    let room: Int
    let stops: [Int32]
    let rules: WritingRules
    let tokenizer: Tokenizer?
    let place: ConstrainedPlace?
}

/// A text each of whose tokens is chosen as it comes.
final class SampledText: ContinuedText {
    private let start: TextStart
    private let likelyCount: Int?
    private var sampler: TokenSampler
    private var output: TextOutput
    private var lookup: PromptLookup

    init(_ start: TextStart, _ options: GenerationOptions) throws(GraftError) {
        self.start = start
        likelyCount = options.likelyCount
        let seed = options.rowSeeds.isEmpty ? options.seed : options.rowSeeds[start.row]
        try Memory.require(
            64 * start.prompt.count + 8 * start.room, to: "remembering the tokens of row \(start.number)")
        sampler = TokenSampler(
            options, stops: Set(start.stops), seed: seed, sample: start.sample, prompt: start.prompt, room: start.room,
            place: start.place)
        output = try TextOutput(start, strings: options.stopStrings)
        lookup = PromptLookup(most: options.promptLookupTokens)
    }

    var rowCount: Int { 1 }
    var activeCount: Int { 1 }
    var origins: [Int]? { nil }
    var reading: gk_logit_reading { likelyCount == nil ? GK_READ_LARGEST : GK_READ_LOG_SUM }
    func tokens(ofRow row: Int) -> [Int32] { sampler.processors.tokens }
    func guess(ofRow _: Int) -> [Int32] {
        // Behind all that are right comes one more.
        lookup.guess(after: sampler.processors.tokens, room: start.room - sampler.processors.newCount - 1)
    }

    func read(
        _ row: ReadLogits, ofRow _: Int, likely: inout LogProbabilities,
        report: (NewToken) -> Bool
    ) throws(GraftError) -> Bool {
        let count = sampler.processors.newCount
        let isLast = count + 1 == start.room
        let logits = row.numbers
        if let likelyCount { likely.read(logits, logSum: row.logSum, count: likelyCount) }
        let isForced = start.rules.rule(
            logits, isFirst: count == 0, isLast: isLast && sampler.processors.mayEnd)
        let id = try sampler.next(logits, isForced: isForced)
        let (text, end) = try output.append(id, isLast: isLast, isComplete: sampler.processors.isComplete)
        let token = NewToken(
            row: start.number, sample: start.sample, id: id, text: text, end: end,
            logProbability: likelyCount == nil ? nil : likely[id], likely: likelyCount == nil ? nil : likely)
        return report(token) && end == .none
    }
}
