import GraftAdapters
import GraftLayers
import GraftTensor
import GraftTokenizers

/// Texts as windows that a model can read: a window is a row of tokens, and has a part of a text
/// between the tokens that are in each of its windows, such as those that the tokenizer added. Of a
/// pair the second text is cut.
package struct TextWindows: Sendable {
    package struct Window: Sendable {
        package let row: Int
        /// Tokens of the text, counted from its first.
        package let tokens: Range<Int>
        /// Where the first of them stands in the window.
        package let place: Int
    }

    /// A text as it was before it was cut.
    private struct Text: Sendable {
        let tokenCount: Int
        let cut: Range<Int>
    }

    /// The windows, one after the other.
    package private(set) var rows = RowBatch()
    /// The first window of each text, and their count.
    package private(set) var starts: [Int64] = [0]
    package private(set) var windows: [Window] = []
    private var texts: [Text] = []

    package init(maximumLength: Int?, isChosen: Bool) {
        rows.origin.maximumLength = maximumLength
        rows.origin.isChosen = isChosen
    }

    package var textCount: Int { texts.count }

    /// Adds a text, or a pair, that was not shortened. Windows share `stride` tokens of what is cut
    /// with the one before them.
    package mutating func append(_ encoding: Encoding, stride: Int) throws(GraftError) {
        let (cut, found) = try encoding.windows(maximumLength: rows.origin.maximumLength, stride: stride)
        try Memory.require(
            16 * encoding.count + found.reduce(0) { $0 + 32 + 8 * (encoding.count - cut.count + $1.count) },
            to: "\(found.count) windows")
        for window in found {
            let kept = [
                0..<cut.lowerBound,
                cut.lowerBound + window.lowerBound..<cut.lowerBound + window.upperBound,
                cut.upperBound..<encoding.count,
            ]
            rows.append(
                tokens: kept.flatMap { encoding.ids[$0] }, types: kept.flatMap { encoding.typeIDs[$0] })
            windows.append(Window(row: textCount, tokens: window, place: cut.lowerBound))
        }
        rows.origin.unknownTokenCount += encoding.unknownCount
        texts.append(Text(tokenCount: encoding.count, cut: cut))
        starts.append(Int64(windows.count))
    }

    // ---- Numbers of tokens ----

    /// The numbers of the windows' tokens from those of the texts', such as labels.
    ///
    /// - Parameters:
    ///   - numbers: of all tokens of the texts before they were cut, one text after another.
    ///   - isOnce: whether each token has its number in one window alone, the one in which there
    ///     are the most tokens around it, and -100 in others. Nothing is divided between two windows
    ///     then that begins with a number of 0 or more, or that `scheme` says goes on.
    package func spread(
        _ numbers: UnsafeBufferPointer<Int32>, once isOnce: Bool, _ scheme: TagScheme? = nil
    ) throws(GraftError) -> [Int32] {
        try check(numbers.count, texts.reduce(0) { $0 + $1.tokenCount }, "tokens of the texts")
        var spread = Array(repeating: Int32(-100), count: rows.tokenCount)
        eachText { text, own, first in
            let cuts =
                isOnce
                ? self.cuts(own) { start, end in
                    let middle = (start + end) / 2
                    func begins(_ token: Int) -> Bool {
                        let number = numbers[first + text.cut.lowerBound + token]
                        return number >= 0 && scheme?.goesOn(number) != true
                    }
                    return (start...end).filter { $0 < text.cut.count && begins($0) }
                        .min { (abs($0 - middle), $0) < (abs($1 - middle), $1) } ?? middle
                } : nil
            for (place, window) in own.enumerated() {
                let row = rows.range(ofRow: window)
                let tokens = windows[window].tokens
                let labelled = cuts.map { $0[place]..<$0[place + 1] } ?? tokens
                for index in 0..<row.count {
                    let token = index - text.cut.lowerBound
                    let isCut = (0..<tokens.count).contains(token)
                    // What is in each window counts in the first.
                    if isCut ? !labelled.contains(tokens.lowerBound + token) : isOnce && place > 0 { continue }
                    spread[row.lowerBound + index] = numbers[first + Self.whole(index, windows[window], text)]
                }
            }
        }
        return spread
    }

    /// The numbers of the texts' tokens from those of the windows': each token's is that of the
    /// window in which there are the most tokens around it.
    package func join(_ numbers: UnsafeBufferPointer<Int32>) throws(GraftError) -> [Int32] {
        try check(numbers.count, rows.tokenCount, "tokens of the windows")
        var joined: [Int32] = []
        joined.reserveCapacity(texts.reduce(0) { $0 + $1.tokenCount })
        eachText { text, own, first in
            let cuts = cuts(own) { ($0 + $1) / 2 }
            joined += repeatElement(-100, count: text.tokenCount)
            for (place, window) in own.enumerated() {
                let row = rows.range(ofRow: window)
                for index in 0..<row.count {
                    let token = windows[window].tokens.lowerBound + index - text.cut.lowerBound
                    let isCut = windows[window].tokens.contains(token)
                    if isCut, !(cuts[place]..<cuts[place + 1]).contains(token) { continue }
                    joined[first + Self.whole(index, windows[window], text)] = numbers[row.lowerBound + index]
                }
            }
        }
        return joined
    }

    private func check(_ found: Int, _ expected: Int, _ what: String) throws(GraftError) {
        guard found == expected else {
            throw GraftError(.invalidArgument, "count is \(found); expected \(expected), one for each of the \(what)")
        }
    }

    /// Calls `body` with each text, its windows, and how many tokens there are of those before it.
    private func eachText(_ body: (Text, Range<Int>, Int) -> Void) {
        var first = 0
        for (row, text) in texts.enumerated() {
            body(text, Int(starts[row])..<Int(starts[row + 1]), first)
            first += text.tokenCount
        }
    }

    /// Where one window's tokens end and the next one's begin, with the first and the end of all.
    private func cuts(_ own: Range<Int>, _ cut: (_ start: Int, _ end: Int) -> Int) -> [Int] {
        var cuts = [0]
        for (window, next) in zip(own, own.dropFirst()) {
            let start = max(windows[next].tokens.lowerBound, cuts[cuts.count - 1])
            cuts.append(cut(start, windows[window].tokens.upperBound))
        }
        return cuts + [windows[own.upperBound - 1].tokens.upperBound]
    }

    /// Which token of the whole text a window's is.
    private static func whole(_ index: Int, _ window: Window, _ text: Text) -> Int {
        if index < window.place { return index }
        if index < window.place + window.tokens.count { return index + window.tokens.lowerBound }
        return index - window.tokens.count + text.cut.count
    }
}
