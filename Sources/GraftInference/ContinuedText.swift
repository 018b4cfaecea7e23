import CGraftKernels
import GraftTensor
import GraftTokenizers

/// How the text of a row goes on: what chooses its next tokens, in one row of the cache or in
/// several.
protocol ContinuedText: AnyObject {
    /// Rows of the cache that it may come to use.
    var rowCount: Int { get }
    /// Those whose next token it wants, the first so many.
    var activeCount: Int { get }
    /// After a step, the row that each of the active ones goes on from; nil where each is its own.
    var origins: [Int]? { get }

    /// The row's tokens, the prompt's and those behind it. The last one has not been through the
    /// model.
    func tokens(ofRow row: Int) -> [Int32]
    /// Tokens that may come next, to go through the model behind the last one. What is read does
    /// not depend on them: logits behind one that did not come are never read.
    func guess(ofRow row: Int) -> [Int32]
    /// What is made of a row's logits before it is read.
    var reading: gk_logit_reading { get }
    /// Reads the logits of an active row, which change; with the last of them it chooses. False
    /// once no more comes.
    func read(
        _ row: ReadLogits, ofRow number: Int, likely: inout LogProbabilities,
        report: (NewToken) -> Bool
    ) throws(GraftError) -> Bool
}

extension ContinuedText {
    func guess(ofRow _: Int) -> [Int32] { [] }
}

/// Why a text ended, as `graft_token_end` numbers it.
package enum TokenEnd: Int32, Sendable {
    /// It goes on.
    case none = 0
    case stopToken = 1
    case stopString = 2
    /// It has as many tokens as were asked for, or as the model has positions.
    case length = 3
    /// It is whole: its constraint lets nothing follow.
    case constraint = 4
}

/// A token of a text, as it is handed out.
package struct NewToken {
    /// Of the batch.
    package let row: Int
    /// Which of the texts that continue this row.
    package let sample: Int
    package let id: Int32
    /// What it adds to the text.
    package let text: String
    package let end: TokenEnd
    /// nil where it is not asked for.
    package let logProbability: Float?
    package var likely: LogProbabilities?
    /// Of the whole text, where beams are searched.
    package var score: Float?
}

/// Makes text of tokens, and says where it ends.
struct TextOutput {
    private let stops: Set<Int32>
    private var stream: TextStream?
    private var strings: StopStrings

    /// - Parameter readsText: Else it only says where tokens end it.
    init(_ start: TextStart, strings: [String], readsText: Bool = true) throws(GraftError) {
        stops = Set(start.stops)
        if readsText, let tokenizer = start.tokenizer {
            stream = try TextStream(tokenizer, after: start.rules.start == nil ? start.prompt : [])
        }
        self.strings = StopStrings(strings)
    }

    /// What a token adds, and what was held back where it is the last.
    ///
    /// - Parameters:
    ///   - isLast: Whether there is no room for another.
    ///   - isComplete: Whether none may follow.
    mutating func append(
        _ token: Int32, isLast: Bool, isComplete: Bool
    ) throws(GraftError) -> (text: String, end: TokenEnd) {
        var end: TokenEnd = stops.contains(token) ? .stopToken : isComplete ? .constraint : isLast ? .length : .none
        guard stream != nil else { return ("", end) }
        var new = end == .stopToken ? "" : try stream?.append(token) ?? ""
        if end != .none { new += try stream?.finish() ?? "" }
        let (text, hasEnded) = strings.append(new)
        if hasEnded { end = .stopString }
        return (end == .none || hasEnded ? text : text + strings.finish(), end)
    }
}
