import GraftLayers
import GraftTensor
import GraftTokenizers

/// Questions with the contexts that may answer them, as windows: each has the whole question and a
/// part of the context.
///
/// An answer is a stretch of the context. A window in which there is none answers with its first
/// token, as in transformers.
package struct AnswerWindows: Sendable {
    /// Where the tokens of a context stand in it.
    private struct Context: Sendable {
        let bytes: [TokenOffsets]
        let characters: [TokenOffsets]
        /// Of the whole context.
        let characterCount: Int
    }

    package private(set) var texts: TextWindows
    private var contexts: [Context] = []

    package init(maximumLength: Int?, isChosen: Bool) {
        texts = TextWindows(maximumLength: maximumLength, isChosen: isChosen)
    }

    package var questionCount: Int { contexts.count }
    package var rows: RowBatch { texts.rows }
    package var count: Int { texts.count }
    private var windows: [TextWindows.Window] { texts.windows }
    private var starts: [Int64] { texts.starts }

    /// Adds a question with its context, as a pair that was not shortened. Windows share `stride`
    /// tokens of the context with the one before them.
    package mutating func append(
        _ encoding: Encoding, characters: [TokenOffsets], characterCount: Int, stride: Int
    ) throws(GraftError) {
        guard encoding.sequenceIDs.contains(0) else {
            throw GraftError(.invalidArgument, "the question has no tokens; expected at least 1")
        }
        guard encoding.sequenceIDs.contains(1) else {
            throw GraftError(.invalidArgument, "the context has no tokens; expected at least 1")
        }
        try texts.append(encoding, stride: stride)
        let own = encoding.sequenceIDs.indices.filter { encoding.sequenceIDs[$0] == 1 }
        contexts.append(
            Context(
                bytes: own.map { encoding.offsets[$0] }, characters: own.map { characters[$0] },
                characterCount: characterCount))
    }

    // ---- From answers to tokens ----

    /// The tokens of each window at which its question's answer starts and ends: [windows, 2]. 0
    /// and 0 where the answer does not lie in the window whole.
    ///
    /// - Parameter answers: [questions, 2]: the first character and the one past the last; -1 and
    ///   -1 where there is no answer.
    package func labels(_ answers: UnsafeBufferPointer<Int64>) throws(GraftError) -> [Int32] {
        for (row, context) in contexts.enumerated() {
            let (start, end) = (answers[2 * row], answers[2 * row + 1])
            if start == -1, end == -1 { continue }
            guard start >= 0, end > start, end <= Int64(context.characterCount) else {
                throw GraftError(
                    .invalidArgument,
                    "answers[\(row)] is characters \(start) to \(end) of a context of \(context.characterCount); expected at "
                        + "least one in it, or -1 and -1 for no answer")
            }
            guard let first = context.characters.firstIndex(where: { Int64($0.end) > start }),
                Int64(context.characters[first].start) < end
            else {
                throw GraftError(
                    .invalidArgument,
                    "answers[\(row)] is characters \(start) to \(end), in which the context has no token: expected one")
            }
        }
        return windows.flatMap { window in
            let (start, end) = (answers[2 * window.row], answers[2 * window.row + 1])
            let own = contexts[window.row].characters[window.tokens]
            // As in transformers' examples: the last token that starts no later than the answer,
            // and the first that ends no earlier.
            guard start >= 0, let first = own.first, let last = own.last, Int64(first.start) <= start,
                Int64(last.end) >= end,
                let from = own.lastIndex(where: { Int64($0.start) <= start }),
                let to = own.firstIndex(where: { Int64($0.end) >= end })
            else { return [0, 0] as [Int32] }
            let shift = window.place - own.startIndex
            return [Int32(min(from, to) + shift), Int32(to + shift)]
        }
    }

    // ---- From logits to answers ----

    /// A stretch of a context, and how well it answers: the sum of the logits of its start and its
    /// end.
    package struct Answer {
        package let bytes: Range<Int>
        package let characters: Range<Int>
        package let window: Int
        /// Of the window's row.
        package let tokens: Range<Int>
        package let score: Double
    }

    package struct Found {
        /// The best first.
        package var answers: [Answer] = []
        /// The score of no answer, the least of any window's, less that of the best answer.
        package var noAnswerScore = -Double.infinity
    }

    /// A span of a context's tokens in a window.
    private struct Span {
        let window: Int
        let first: Int
        let last: Int
        let score: Double

        func precedes(_ other: Span) -> Bool {
            score != other.score ? score > other.score : (first, last) < (other.first, other.last)
        }
    }

    /// Refuses logits that are not finite numbers.
    package func check(_ logits: UnsafeBufferPointer<Float>) throws(GraftError) {
        for row in 0..<questionCount {
            for window in Int(starts[row])..<Int(starts[row + 1]) where !own(logits, window).allSatisfy(\.isFinite) {
                throw GraftError(.diverged, "row \(row): the logits of window \(window) are not finite numbers")
            }
        }
    }

    private func own(_ logits: UnsafeBufferPointer<Float>, _ window: Int) -> UnsafeBufferPointer<Float> {
        let tokens = rows.range(ofRow: window)
        return UnsafeBufferPointer(rebasing: logits[2 * tokens.lowerBound..<2 * tokens.upperBound])
    }

    /// The `bestCount` best answers to a question, no two of which are the same stretch.
    ///
    /// - Parameter logits: [tokens of all windows, 2].
    package func answers(
        to row: Int, _ logits: UnsafeBufferPointer<Float>, best bestCount: Int, longest: Int
    ) -> Found {
        var best: [Span] = []
        var noAnswer = Double.infinity
        for number in Int(starts[row])..<Int(starts[row + 1]) {
            let own = own(logits, number)
            noAnswer = min(noAnswer, Double(own[0]) + Double(own[1]))
            search(number, own, contexts[row], best: bestCount, longest: longest, &best)
        }
        var found = Found()
        for span in best { found.answers.append(answer(span, contexts[row])) }
        found.noAnswerScore = noAnswer - (best.first?.score ?? -.infinity)
        return found
    }

    private func search(
        _ number: Int, _ logits: UnsafeBufferPointer<Float>, _ context: Context, best bestCount: Int, longest: Int,
        _ best: inout [Span]
    ) {
        let window = windows[number]
        for first in window.tokens {
            let start = Double(logits[2 * (first - window.tokens.lowerBound + window.place)])
            for last in first..<min(first + longest, window.tokens.upperBound) {
                let end = Double(logits[2 * (last - window.tokens.lowerBound + window.place) + 1])
                let span = Span(window: number, first: first, last: last, score: start + end)
                if best.count == bestCount, let worst = best.last, !span.precedes(worst) { continue }
                guard context.bytes[last].end > context.bytes[first].start else { continue }
                if let known = best.firstIndex(where: { $0.first == first && $0.last == last }) {
                    if best[known].score >= span.score { continue }
                    best.remove(at: known)
                } else if best.count == bestCount {
                    best.removeLast()
                }
                best.insert(span, at: best.firstIndex { span.precedes($0) } ?? best.count)
            }
        }
    }

    private func answer(_ span: Span, _ context: Context) -> Answer {
        let window = windows[span.window]
        let shift = window.place - window.tokens.lowerBound
        func range(_ offsets: [TokenOffsets]) -> Range<Int> {
            Int(offsets[span.first].start)..<Int(max(offsets[span.first].start, offsets[span.last].end))
        }
        return Answer(
            bytes: range(context.bytes), characters: range(context.characters), window: span.window,
            tokens: span.first + shift..<span.last + shift + 1, score: span.score)
    }
}
