/// What a batch may say of its rows or of its tokens besides the tokens themselves: numbers under a
/// name, so many each.
package struct ColumnKind: Sendable, Equatable {
    package enum Unit: Sendable { case rows, tokens }
    package enum Numbers: String, Sendable { case integers, floats }

    package let name: String
    package let unit: Unit
    package let numbers: Numbers

    /// The number of each row's label.
    package static let labels = ColumnKind(name: "labels", unit: .rows, numbers: .integers)
    /// The number of each token's label, what the token before it should predict, or what a masked
    /// token is; below zero where it does not count.
    package static let tokenLabels = ColumnKind(name: "token_labels", unit: .tokens, numbers: .integers)
    /// The numbers that each row's outputs should be.
    package static let targets = ColumnKind(name: "targets", unit: .rows, numbers: .floats)
    /// The place of each row in its group of rows that belong together, which stand one after the
    /// other: 0 begins a group.
    package static let groupPlaces = ColumnKind(name: "group_places", unit: .rows, numbers: .integers)

    /// The places in its row of the tokens at which each row's answer starts and ends; none counts
    /// that is not in the row.
    package static let answerSpans = ColumnKind(name: "answer_spans", unit: .rows, numbers: .integers)

    /// The number of the word in its row that each token is of, which may be masked; below zero
    /// for tokens that are of none.
    package static let tokenWords = ColumnKind(name: "token_words", unit: .tokens, numbers: .integers)

    /// How likely each row's labelled tokens are by the model that a preference is compared with:
    /// the sum of their logarithms.
    package static let referenceLogProbabilities = ColumnKind(
        name: "reference_log_probabilities", unit: .rows, numbers: .floats)

    /// Every kind: a new one is a line above and its name here.
    package static let all = [
        labels, tokenLabels, targets, groupPlaces, answerSpans, tokenWords, referenceLogProbabilities,
    ]

    package static func named(_ name: String) -> ColumnKind? { all.first { $0.name == name } }
}

/// The numbers of one kind, for all rows or tokens of a batch.
package struct Column: Sendable {
    package let kind: ColumnKind
    /// Numbers of each row or token.
    package let width: Int
    /// [rows or tokens, width], in the one of the two that `kind` says.
    package fileprivate(set) var integers: [Int32] = []
    package fileprivate(set) var floats: [Float] = []

    init(_ kind: ColumnKind, width: Int) {
        self.kind = kind
        self.width = width
    }

    package init(_ kind: ColumnKind, integers: [Int32], width: Int = 1) {
        self.init(kind, width: width)
        self.integers = integers
    }

    package init(_ kind: ColumnKind, floats: [Float], width: Int = 1) {
        self.init(kind, width: width)
        self.floats = floats
    }

    var count: Int { (kind.numbers == .integers ? integers.count : floats.count) / max(width, 1) }

    /// Whether the other's numbers can follow.
    package func agrees(with other: Column) -> Bool { kind == other.kind && width == other.width }

    mutating func append(_ range: Range<Int>, of other: Column) {
        let numbers = range.lowerBound * width..<range.upperBound * width
        switch kind.numbers {
        case .integers: integers.append(contentsOf: other.integers[numbers])
        case .floats: floats.append(contentsOf: other.floats[numbers])
        }
    }

    mutating func removeAll() {
        integers.removeAll(keepingCapacity: true)
        floats.removeAll(keepingCapacity: true)
    }

    /// Adds the same whole number so often.
    mutating func fill(_ number: Int32, count: Int) {
        integers.append(contentsOf: repeatElement(number, count: count))
    }

    /// Lets `body` write over the whole numbers.
    mutating func change(_ body: (UnsafeMutableBufferPointer<Int32>) -> Void) {
        integers.withUnsafeMutableBufferPointer { body($0) }
    }

    /// Makes room for so many numbers.
    mutating func reserve(_ count: Int) {
        switch kind.numbers {
        case .integers: RowBatch.reserve(count * width, in: &integers)
        case .floats: RowBatch.reserve(count * width, in: &floats)
        }
    }
}
