import GraftTensor

/// What a row's tokens so far do to the logits of its next one, in transformers' order.
///
/// - bias: logit + b
/// - repetition penalty r (Keskar et al. 2019): logits above 0 of tokens that the row has / r,
///   those below · r
/// - frequency and presence penalties f and p, as OpenAI defines them and vLLM computes them: of a
///   token that has come n > 0 times after the prompt, logit - n f - p
/// - no-repeat n-grams (Paulus et al. 2018): a token that would end n tokens which the row has had
///   in this sequence never comes
/// - minimum length: no stop token comes before it
/// - constraint: a token that leads to no text that it allows never comes
struct LogitProcessors {
    private let options: GenerationOptions
    private let stops: Set<Int32>
    private let promptCount: Int
    /// The prompt's, and those behind it.
    private(set) var tokens: [Int32]
    /// How often each has come: those of the prompt 0 times.
    private var counts: [Int32: Int32]
    private var place: ConstrainedPlace?

    init(
        _ options: GenerationOptions, stops: Set<Int32>, prompt: some Collection<Int32>, room: Int,
        place: ConstrainedPlace? = nil
    ) {
        self.place = place
        self.options = options
        self.stops = stops
        promptCount = prompt.count
        tokens = Array(prompt)
        tokens.reserveCapacity(promptCount + room)
        counts = Dictionary(prompt.map { ($0, 0) }) { first, _ in first }
    }

    /// Tokens behind the prompt.
    var newCount: Int { tokens.count - promptCount }

    /// Whether a constraint lets the text end here.
    var mayEnd: Bool { place?.accepts ?? true }
    /// Whether a constraint lets nothing come but its end.
    var isComplete: Bool { place?.isComplete ?? false }

    /// Where a constraint is behind another token; nil without one, and behind a token that ends
    /// the text.
    func place(behind token: Int32) throws(GraftError) -> ConstrainedPlace? {
        guard var place, !stops.contains(token) else { return nil }
        try place.advance(token)
        return place
    }

    /// The row's next token is this one.
    mutating func append(_ token: Int32) throws(GraftError) { append(token, leadingTo: try place(behind: token)) }

    /// The same, where it is known where the constraint is behind it.
    mutating func append(_ token: Int32, leadingTo place: ConstrainedPlace?) {
        tokens.append(token)
        counts[token, default: 0] += 1
        if let place { self.place = place }
    }

    /// - Parameter isForced: Whether only one token is left, by rules that come before all of this.
    func process(_ logits: Logits, isForced: Bool = false) throws(GraftError) {
        for bias in options.biases where logits.indices.contains(Int(bias.token)) {
            logits[Int(bias.token)] += bias.amount
        }
        penalize(logits)
        if options.noRepeatSize > 0 { forbidRepetitions(logits) }
        if newCount < options.minimumTokens {
            for stop in stops where logits.indices.contains(Int(stop)) { logits[Int(stop)] = -.infinity }
        }
        if !isForced { try place?.mask(logits, stops: stops) }
    }

    private func penalize(_ logits: Logits) {
        let repetition = options.repetitionPenalty
        guard repetition != 1 || options.frequencyPenalty != 0 || options.presencePenalty != 0 else { return }
        for (token, count) in counts where logits.indices.contains(Int(token)) {
            var logit = logits[Int(token)]
            if repetition != 1 { logit = logit < 0 ? logit * repetition : logit / repetition }
            if count > 0 { logit -= Float(count) * options.frequencyPenalty + options.presencePenalty }
            logits[Int(token)] = logit
        }
    }

    private func forbidRepetitions(_ logits: Logits) {
        let before = options.noRepeatSize - 1
        guard tokens.count > before else { return }
        let latest = tokens.suffix(before)
        for end in before..<tokens.count where logits.indices.contains(Int(tokens[end])) {
            if tokens[end - before..<end].elementsEqual(latest) { logits[Int(tokens[end])] = -.infinity }
        }
    }
}
