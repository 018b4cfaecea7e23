import CGraftKernels
import Glibc
import GraftTensor
import GraftTokenizers

/// Beam search as transformers 5.23 does it: in each step the texts with the largest sums of
/// log-probabilities go on, and those that ended are ranked by sum / length^penalty.
///
/// Of the best `kept` continuations in a step, those among the first `beamCount` that end are
/// candidates for the result, and the best others go on. The search ends when there are `beamCount`
/// results and none of those that go on can become better, as `EarlyStopping` judges, or when no
/// token may come.
final class BeamSearch: ContinuedText {
    /// A text that goes on, or that ended.
    private struct Beam {
        var processors: LogitProcessors
        var output: TextOutput
        /// Of the new tokens, before anything is done to the logits.
        var logProbabilities: [Float] = []
        var score: Float = 0
    }

    private struct Candidate {
        let beam: Int
        let token: Int32
        let score: Float
        let logProbability: Float
    }

    private let start: TextStart
    private let options: GenerationOptions
    private let stops: Set<Int32>
    private let kept: Int
    private var running: [Beam]
    /// The best first.
    private var results: [Beam] = []
    /// Of the rows read in this step, the best first.
    private var candidates: [Candidate] = []
    private var length = 0
    private(set) var origins: [Int]?

    init(_ start: TextStart, _ options: GenerationOptions) throws(GraftError) {
        self.start = start
        self.options = options
        stops = Set(start.stops)
        kept = max(2, 1 + stops.count) * options.beamCount
        try Memory.require(
            options.beamCount * (64 * start.prompt.count + 24 * start.room) + 64 * kept,
            to: "the beams of row \(start.number)")
        running = [
            Beam(
                processors: LogitProcessors(
                    options, stops: stops, prompt: start.prompt, room: start.room, place: start.place),
                output: try TextOutput(start, strings: options.stopStrings, readsText: !options.stopStrings.isEmpty))
        ]
    }

    var rowCount: Int { options.beamCount }
    var activeCount: Int { running.count }
    var reading: gk_logit_reading { GK_READ_LOG_PROBABILITIES }
    func tokens(ofRow row: Int) -> [Int32] { running[row].processors.tokens }

    func read(
        _ read: ReadLogits, ofRow row: Int, likely: inout LogProbabilities,
        report: (NewToken) -> Bool
    ) throws(GraftError) -> Bool {
        try gather(read.numbers, ofRow: row, &likely)
        guard row == running.count - 1 else { return true }
        defer { candidates.removeAll(keepingCapacity: true) }
        guard !candidates.isEmpty else { throw TokenSampler.nothingIsLeft }
        if try choose() { return true }
        try hand(report)
        return false
    }

    /// Adds a row's best continuations to those of the rows before it.
    ///
    /// - Parameter logits: Log-probabilities.
    private func gather(
        _ logits: Logits, ofRow row: Int, _ likely: inout LogProbabilities
    ) throws(GraftError) {
        let wantsLikely = options.likelyCount != nil
        if wantsLikely { likely.read(logits, logSum: 0, count: 0) }
        let isForced = start.rules.rule(
            logits, isFirst: length == 0, isLast: length + 1 == start.room && running[row].processors.mayEnd)
        try running[row].processors.process(logits, isForced: isForced)
        let score = running[row].score
        for token in logits.places(ofLargest: kept, reaching: least(behind: score)) {
            candidates.append(
                Candidate(
                    beam: row, token: Int32(token), score: score + logits[token],
                    logProbability: wantsLikely ? likely[Int32(token)] : 0))
        }
        candidates.sort { ($1.score, $0.beam, $0.token) < ($0.score, $1.beam, $1.token) }
        if candidates.count > kept { candidates.removeLast(candidates.count - kept) }
    }

    /// What a log-probability has to reach behind a sum of others so that its token may be among
    /// the candidates.
    private func least(behind score: Float) -> Float {
        guard candidates.count == kept, let last = candidates.last?.score else { return -.greatestFiniteMagnitude }
        // Rounding: one step of the sum either way, and one of the difference.
        let difference = last - score
        return max(difference - 2 * max(last.ulp, difference.ulp), -.greatestFiniteMagnitude)
    }

    /// Takes the best continuations; false where the search is over.
    private func choose() throws(GraftError) -> Bool {
        length += 1
        let isLast = length == start.room
        var next: [Beam] = []
        var origins: [Int] = []
        for (rank, candidate) in candidates.enumerated() {
            if next.count == options.beamCount && rank >= options.beamCount { break }
            var output = running[candidate.beam].output
            let place = try running[candidate.beam].processors.place(behind: candidate.token)
            let isComplete = place?.isComplete ?? false
            let hasEnded = try output.append(candidate.token, isLast: isLast, isComplete: isComplete).end != .none
            guard hasEnded ? rank < options.beamCount : next.count < options.beamCount else { continue }
            var beam = running[candidate.beam]
            beam.processors.append(candidate.token, leadingTo: place)
            beam.output = output
            beam.logProbabilities.append(candidate.logProbability)
            beam.score = candidate.score
            if hasEnded {
                rankResult(beam)
            } else {
                next.append(beam)
                origins.append(candidate.beam)
            }
        }
        self.origins = origins == Array(0..<running.count) ? nil : origins
        guard let best = next.first, mayImprove(best) else { return false }
        running = next
        return true
    }

    private func rankResult(_ beam: Beam) {
        var result = beam
        result.score /= powf(Float(length), options.lengthPenalty)
        results.insert(result, at: results.firstIndex { $0.score < result.score } ?? results.count)
        if results.count > options.beamCount { results.removeLast() }
    }

    /// Whether the best beam that goes on may come to be better than the worst result.
    private func mayImprove(_ best: Beam) -> Bool {
        guard results.count == options.beamCount, let worst = results.last else { return true }
        if options.earlyStopping == .yes { return false }
        let isNever = options.earlyStopping == .never && options.lengthPenalty > 0
        return best.score / powf(Float(isNever ? start.room : length), options.lengthPenalty) > worst.score
    }

    /// Hands out the tokens of the results, one text after another.
    private func hand(_ report: (NewToken) -> Bool) throws(GraftError) {
        for (rank, result) in results.prefix(options.sampleCount).enumerated() {
            var output = try TextOutput(start, strings: options.stopStrings)
            let tokens = result.processors.tokens[start.prompt.count...]
            for ((place, id), own) in zip(tokens.enumerated(), result.logProbabilities) {
                let isLast = place == tokens.count - 1
                let (text, end) = try output.append(
                    id, isLast: isLast, isComplete: isLast && result.processors.isComplete)
                let token = NewToken(
                    row: start.number, sample: rank, id: id, text: text, end: end,
                    logProbability: options.likelyCount == nil ? nil : own, likely: nil, score: result.score)
                if !report(token) { break }
            }
        }
    }
}
