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
    package var count: Int { windows.count }

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
    ///   - isOnce: whether each token has its number in one window alone, and -100 in others: where
    ///     the most tokens are around it, but a window begins with a number of 0 or more that does
    ///     not go on with an entity, by `scheme`, where what it shares has one.
    package func spread(
        _ numbers: UnsafeBufferPointer<Int32>, once isOnce: Bool, _ scheme: TagScheme? = nil
    ) throws(GraftError) -> [Int32] {
        try check(numbers.count, tokenCount, "tokens of the texts")
        func begins(_ token: Int) -> Bool { numbers[token] >= 0 && scheme?.goesOn(numbers[token]) != true }
        var spread = Array(repeating: Int32(-100), count: rows.tokenCount)
        eachToken { start, end in
            let middle = (start + end) / 2
            return (start...end).filter(begins).min { (abs($0 - middle), $0) < (abs($1 - middle), $1) } ?? middle
        } body: { token, whole, isOwn in
            if isOwn || !isOnce { spread[token] = numbers[whole] }
        }
        return spread
    }

    /// The numbers of the texts' tokens from those of the windows': each token's is that of the
    /// window in which there are the most tokens around it.
    package func join(_ numbers: UnsafeBufferPointer<Int32>) throws(GraftError) -> [Int32] {
        try check(numbers.count, rows.tokenCount, "tokens of the windows")
        var joined = Array(repeating: Int32(-100), count: tokenCount)
        eachToken {
            ($0 + $1) / 2
        } body: { token, whole, isOwn in
            if isOwn { joined[whole] = numbers[token] }
        }
        return joined
    }

    /// Of all texts.
    private var tokenCount: Int { texts.reduce(0) { $0 + $1.tokenCount } }

    private func check(_ found: Int, _ expected: Int, _ what: String) throws(GraftError) {
        guard found == expected else {
            throw GraftError(.invalidArgument, "count is \(found); expected \(expected), one for each of the \(what)")
        }
    }

    /// Calls `body` with each token of each window: where it stands among those of all windows, and
    /// among those of all texts, and whether it is the window's own. Each token of the texts is one
    /// window's; what is in each window of a text is its first one's.
    ///
    /// - Parameter border: where a window's own tokens begin: among those, `start..<end`, that it
    ///   shares with the one before it, or behind them; counted as those of all texts.
    private func eachToken(
        border: (_ start: Int, _ end: Int) -> Int, body: (_ token: Int, _ whole: Int, _ isOwn: Bool) -> Void
    ) {
        var first = 0
        for (row, text) in texts.enumerated() {
            let cutFirst = first + text.cut.lowerBound
            var ownFirst = cutFirst
            for window in Int(starts[row])..<Int(starts[row + 1]) {
                let (tokens, range) = (windows[window].tokens, rows.range(ofRow: window))
                let isFirst = window == Int(starts[row])
                let isLast = window + 1 == Int(starts[row + 1])
                let end = cutFirst + tokens.upperBound
                let shared = isLast ? end : max(ownFirst, cutFirst + windows[window + 1].tokens.lowerBound)
                let own = ownFirst..<(isLast ? end : border(shared, end))
                for index in 0..<range.count {
                    let inCut = index - text.cut.lowerBound
                    let token = range.lowerBound + index
                    if inCut < 0 {
                        body(token, first + index, isFirst)
                    } else if inCut < tokens.count {
                        let whole = cutFirst + tokens.lowerBound + inCut
                        body(token, whole, own.contains(whole))
                    } else {
                        body(token, first + index - tokens.count + text.cut.count, isFirst)
                    }
                }
                ownFirst = own.upperBound
            }
            first += text.tokenCount
        }
    }
}
