import GraftTensor

/// How texts go on. Defaults are those of `graft_generate_options_init`.
package struct GenerationOptions: Sendable {
    /// Tokens that end a row; nil for the model's ends of text.
    package var stopTokens: [Int32]?
    /// A seed for each row; empty where `seed` is that of all.
    package var rowSeeds: [UInt64] = []
    package var seed: UInt64 = 0
    package var maximumTokens = 128
    package var repetitionPenalty: Float = 1
    /// 0 takes the likeliest token.
    package var temperature: Float = 0
    /// 0 takes all.
    package var topK = 0
    package var topP: Float = 1

    package init() {}

    func check(rowCount: Int) throws(GraftError) {
        guard rowSeeds.isEmpty || rowSeeds.count == rowCount else {
            throw GraftError(.invalidArgument, "row_seeds has \(rowSeeds.count) numbers for \(rowCount) rows")
        }
        guard maximumTokens >= 0 else {
            throw GraftError(.invalidArgument, "maximum_tokens must be 0 or more, found \(maximumTokens)")
        }
        guard repetitionPenalty > 0, repetitionPenalty.isFinite else {
            throw GraftError(.invalidArgument, "repetition_penalty must be above 0, found \(repetitionPenalty)")
        }
        guard temperature >= 0, temperature.isFinite else {
            throw GraftError(.invalidArgument, "temperature must be 0 or more, found \(temperature)")
        }
        guard topK >= 0 else { throw GraftError(.invalidArgument, "top_k must be 0 or more, found \(topK)") }
        guard topP > 0, topP <= 1 else {
            throw GraftError(.invalidArgument, "top_p must be above 0 and at most 1, found \(topP)")
        }
    }
}
