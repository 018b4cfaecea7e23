import GraftTensor

/// Chooses one row's next token from its logits: the likeliest, or with a temperature one of the
/// candidates by chance.
///
/// What it chooses depends on the seed, the prompt, the number of the sample and the logits alone.
struct TokenSampler {
    private let options: GenerationOptions
    private var random: RandomNumbers
    private(set) var processors: LogitProcessors

    /// - Parameter room: For so many tokens after the prompt.
    init(
        _ options: GenerationOptions, stops: Set<Int32>, seed: UInt64, sample: Int = 0, prompt: some Collection<Int32>,
        room: Int = 0, place: ConstrainedPlace? = nil
    ) {
        self.options = options
        // Rows with other prompts draw other numbers.
        var hash: UInt64 = 0
        for token in prompt { hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x9e37_79b9_7f4a_7c15 &+ 1 }
        random = RandomNumbers(seed: seed, stream: "tokens after \(hash)" + (sample > 0 ? ", sample \(sample)" : ""))
        processors = LogitProcessors(options, stops: stops, prompt: prompt, room: room, place: place)
    }

    /// Chooses, and remembers the choice. Changes the logits, which `largest` has found good.
    mutating func next(
        _ logits: Logits, isForced: Bool = false
    ) throws(GraftError) -> Int32 {
        try processors.process(logits, isForced: isForced)
        guard let best = logits.largest, logits[best] > -.infinity else {
            throw Self.nothingIsLeft
        }
        let token = options.temperature > 0 ? draw(logits, largest: logits[best]) : Int32(best)
        try processors.append(token)
        return token
    }

    static let nothingIsLeft = GraftError(
        .invalidArgument, "no token is left that may come: biases, no_repeat_ngram_size and minimum_tokens forbid all")

    private mutating func draw(_ logits: Logits, largest: Float) -> Int32 {
        let candidates = Candidates(logits, largest: largest, options)
        var left = Double(random.next() >> 11) * 0x1p-53 * candidates.total
        var token: Int32 = 0
        for candidate in candidates.all {
            token = candidate.token
            left -= candidate.share
            if left < 0 { break }
        }
        return token
    }

    /// The place of the largest logit, the first of equals; an error where one is not a number, or
    /// the largest not finite: a model that works gives no such.
    static func largest(_ logits: Logits) throws(GraftError) -> Int { try finite(logits.largest, of: logits) }

    /// The same where it was looked for before; nil where one is not a number.
    @discardableResult
    static func finite(_ largest: Int?, of logits: Logits) throws(GraftError) -> Int {
        guard let largest, logits[largest].isFinite else {
            throw GraftError(.diverged, "the logits are not finite numbers: an adapter or the model is broken")
        }
        return largest
    }
}
