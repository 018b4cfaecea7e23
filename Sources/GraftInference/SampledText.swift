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
}

/// A text each of whose tokens is chosen as it comes.
final class SampledText: ContinuedText {
    private let row: Int
    private let sample: Int
    private let likelyCount: Int?
    private let rules: WritingRules
    private var isFirst = true
    private var sampler: TokenSampler
    private var output: TextOutput
    private var left: Int
    private var latest: Int32 = 0

    init(_ start: TextStart, _ options: GenerationOptions) throws(GraftError) {
        row = start.number
        sample = start.sample
        likelyCount = options.likelyCount
        rules = start.rules
        left = start.room
        let seed = options.rowSeeds.isEmpty ? options.seed : options.rowSeeds[start.row]
        try Memory.require(64 * start.prompt.count + 8 * left, to: "remembering the tokens of row \(row)")
        sampler = TokenSampler(
            options, stops: Set(start.stops), seed: seed, sample: sample, prompt: start.prompt, room: left)
        output = try TextOutput(start, strings: options.stopStrings)
    }

    var rowCount: Int { 1 }
    var activeCount: Int { 1 }
    var origins: [Int]? { nil }
    func latest(ofRow row: Int) -> Int32 { latest }
    func tokens(ofRow row: Int) -> [Int32] { sampler.processors.tokens }

    func read(
        _ logits: UnsafeMutableBufferPointer<Float>, ofRow _: Int, likely: inout LogProbabilities,
        report: (NewToken) -> Bool
    ) throws(GraftError) -> Bool {
        if let likelyCount { likely.read(logits, count: likelyCount) }
        rules.rule(logits, isFirst: isFirst, isLast: left == 1)
        isFirst = false
        latest = try sampler.next(logits)
        left -= 1
        let (text, end) = try output.append(latest, isLast: left == 0)
        let token = NewToken(
            row: row, sample: sample, id: latest, text: text, end: end,
            logProbability: likelyCount == nil ? nil : likely[latest], likely: likelyCount == nil ? nil : likely)
        return report(token) && end == .none
    }
}
