import GraftTensor

/// When a beam search ends, by transformers' names, as `graft_early_stopping` numbers them.
package enum EarlyStopping: Int32, Sendable {
    /// When there are as many results as beams, and the best beam is no better at its length.
    case no = 0
    /// When there are as many results as beams.
    case yes = 1
    /// When there are, and the best beam could not be better at its longest.
    case never = 2
}

/// How texts go on. Defaults are those of `graft_generate_options_init`.
package struct GenerationOptions: Sendable {
    /// What is added to the logits of a token.
    package struct Bias: Sendable {
        package let token: Int32
        package let amount: Float

        package init(token: Int32, amount: Float) {
            self.token = token
            self.amount = amount
        }
    }

    /// Tokens that end a row; nil for the model's ends of text.
    package var stopTokens: [Int32]?
    /// Texts that end a row, and are not part of it.
    package var stopStrings: [String] = []
    package var biases: [Bias] = []
    /// What each row's text has to be, as JSON, nil for anything; empty where no row has one.
    package var constraints: [String?] = []
    /// A seed for each prompt; empty where `seed` is that of all.
    package var rowSeeds: [UInt64] = []
    package var seed: UInt64 = 0
    package var maximumTokens = 128
    /// Before there are so many new ones, no stop token comes.
    package var minimumTokens = 0
    /// Texts of each prompt: the best of its beams, where there are any.
    package var sampleCount = 1
    /// Texts of a row that a beam search follows at a time; 1 for none.
    package var beamCount = 1
    /// When a beam search ends.
    package var earlyStopping = EarlyStopping.no
    /// The power of its length by which a beam's sum of log-probabilities is divided.
    package var lengthPenalty: Float = 1
    /// How many of the likeliest tokens come with their log-probabilities beside the chosen one's;
    /// nil for none at all.
    package var likelyCount: Int?
    /// No so many tokens in sequence come twice; 0 for any.
    package var noRepeatSize = 0
    package var repetitionPenalty: Float = 1
    package var frequencyPenalty: Float = 0
    package var presencePenalty: Float = 0
    /// 0 takes the likeliest token.
    package var temperature: Float = 0
    /// 0 takes all.
    package var topK = 0
    package var topP: Float = 1
    package var minP: Float = 0
    package var typicalP: Float = 1
    /// The most tokens that are guessed at a time from the row's own; 0 for none.
    package var promptLookupTokens = 0

    package init() {}

    func check(rowCount: Int) throws(GraftError) {
        guard rowSeeds.isEmpty || rowSeeds.count == rowCount else {
            throw GraftError(.invalidArgument, "row_seeds has \(rowSeeds.count) numbers for \(rowCount) rows")
        }
        guard constraints.isEmpty || constraints.count == rowCount else {
            throw GraftError(.invalidArgument, "constraints has \(constraints.count) texts for \(rowCount) rows")
        }
        try checkCounts()
        if beamCount > 1 { try checkBeams() }
        for (index, stop) in stopStrings.enumerated() where stop.isEmpty {
            throw GraftError(
                .invalidArgument, "stop_strings[\(index)] is empty; expected a text that ends a row where it comes")
        }
        for (index, bias) in biases.enumerated() where !(bias.amount < .infinity) {
            throw GraftError(
                .invalidArgument,
                "biases[\(index)] is \(bias.amount); expected a number, or -infinity for a token that never comes")
        }
        func require(_ holds: Bool, _ name: String, _ expected: String, _ found: Float) throws(GraftError) {
            if !holds || !found.isFinite {
                throw GraftError(.invalidArgument, "\(name) must be \(expected), found \(found)")
            }
        }
        try require(repetitionPenalty > 0, "repetition_penalty", "above 0", repetitionPenalty)
        try require(true, "frequency_penalty", "a number", frequencyPenalty)
        try require(true, "presence_penalty", "a number", presencePenalty)
        try require(temperature >= 0, "temperature", "0 or more", temperature)
        try require(topP > 0 && topP <= 1, "top_p", "above 0 and at most 1", topP)
        try require(minP >= 0 && minP <= 1, "min_p", "0 to 1", minP)
        try require(typicalP > 0 && typicalP <= 1, "typical_p", "above 0 and at most 1", typicalP)
    }

    private func checkCounts() throws(GraftError) {
        for (name, count, least, most) in [
            ("maximum_tokens", maximumTokens, 0, Int.max), ("minimum_tokens", minimumTokens, 0, Int.max),
            ("sample_count", sampleCount, 1, 1 << 16),
            ("beam_count", beamCount, 1, 1 << 10), ("likely_count", likelyCount ?? 0, 0, Int.max),
            ("no_repeat_ngram_size", noRepeatSize, 0, Int.max), ("top_k", topK, 0, Int.max),
            ("prompt_lookup_tokens", promptLookupTokens, 0, 1 << 10),
        ] where !(least...most).contains(count) {
            throw GraftError(
                .invalidArgument,
                "\(name) must be \(least) \(most == Int.max ? "or more" : "to \(most)"), found \(count)")
        }
        guard minimumTokens <= maximumTokens else {
            throw GraftError(
                .invalidArgument,
                "minimum_tokens is \(minimumTokens); expected at most maximum_tokens, which is \(maximumTokens)")
        }
    }

    private func checkBeams() throws(GraftError) {
        guard sampleCount <= beamCount else {
            throw GraftError(
                .invalidArgument, "sample_count is \(sampleCount); expected at most beam_count, which is \(beamCount)")
        }
        guard temperature == 0, likelyCount ?? 0 == 0 else {
            throw GraftError(
                .invalidArgument,
                "beam_count is \(beamCount), which searches for the likeliest texts: expected temperature 0 and no likely "
                    + "tokens, found \(temperature) and \(likelyCount ?? 0)")
        }
        guard promptLookupTokens == 0 else {
            throw GraftError(
                .invalidArgument,
                "prompt_lookup_tokens is \(promptLookupTokens); expected 0 with beam_count \(beamCount): a search follows "
                    + "several texts, and guesses none")
        }
        guard lengthPenalty.isFinite else {
            throw GraftError(.invalidArgument, "length_penalty must be a number, found \(lengthPenalty)")
        }
    }

    /// Checks what depends on how many tokens a row's model has.
    func check(vocabularySize: Int, row: Int) throws(GraftError) {
        for (name, tokens) in [("bias_tokens", biases.map(\.token)), ("stop_tokens", stopTokens ?? [])] {
            for (index, token) in tokens.enumerated() where token < 0 || token >= vocabularySize {
                throw GraftError(
                    .invalidArgument,
                    "\(name)[\(index)] is \(token), outside the vocabulary of row \(row), which has "
                        + "\(vocabularySize) tokens")
            }
        }
        guard likelyCount ?? 0 <= vocabularySize else {
            throw GraftError(
                .invalidArgument,
                "likely_count is \(likelyCount ?? 0); expected at most the \(vocabularySize) tokens of row \(row)")
        }
    }
}
