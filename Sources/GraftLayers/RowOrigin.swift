/// How rows came from texts: the limit they were cut at, and what was lost on the way.
package struct RowOrigin: Sendable, Equatable {
    /// Most tokens that a row could have; nil where there was no limit, or where rows were given as
    /// tokens.
    package var maximumLength: Int?
    /// Whether the caller chose the limit, or that there is none, rather than the tokenizer's
    /// files.
    package var isChosen = false
    /// Rows that lost tokens to the limit.
    package var truncatedRowCount = 0
    /// Tokens that stand for text that the vocabulary does not have.
    package var unknownTokenCount = 0

    package init() {}

    /// That of rows together with others: the limit is the larger one, and none if either has none.
    package mutating func add(_ other: RowOrigin) {
        if let own = maximumLength, let others = other.maximumLength {
            isChosen = others > own ? other.isChosen : own > others ? isChosen : isChosen || other.isChosen
            maximumLength = max(own, others)
        } else {
            isChosen = (maximumLength == nil && isChosen) || (other.maximumLength == nil && other.isChosen)
            maximumLength = nil
        }
        truncatedRowCount += other.truncatedRowCount
        unknownTokenCount += other.unknownTokenCount
    }
}
