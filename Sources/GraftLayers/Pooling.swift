import CGraftKernels
import GraftTensor

/// How the last hidden states of a row's tokens become one vector.
package enum Pooling: Int32, Sendable {
    case mean = 0
    case first = 1
    case last = 2
    /// The largest of each element.
    case maximum = 3
    /// Each token weighs as much as its place in the row, from 1.
    case weightedMean = 4
    /// The sum divided by the root of the number of tokens.
    case rootMean = 5

    /// Those that a head can read, for which there is a gradient.
    package static let ofHeads: [Pooling] = [.mean, .first, .last]

    package init(_ summary: SummaryToken) {
        switch summary {
        case .first: self = .first
        case .last, .lastExcept, .lastInSource: self = .last
        }
    }

    /// The token whose hidden state it is; nil where all count. `last` is which token counts as a
    /// row's last.
    package func summary(last: SummaryToken = .last) -> SummaryToken? {
        switch self {
        case .first: .first
        case .last: last
        case .mean, .maximum, .weightedMean, .rootMean: nil
        }
    }

    fileprivate var kernel: gk_pool {
        switch self {
        case .maximum: gk_pool(GK_POOL_LARGEST)
        case .weightedMean: gk_pool(GK_POOL_PLACE)
        case .rootMean: gk_pool(GK_POOL_ROOT)
        case .mean, .first, .last: gk_pool(GK_POOL_MEAN)
        }
    }

    /// As files of heads call it.
    package var name: String { "\(self)" }

    package init?(name: String) {
        guard let pooling = Self.ofHeads.first(where: { $0.name == name }) else { return nil }
        self = pooling
    }
}

extension Pass {
    /// y [count, hidden] from the last hidden states h of the tokens read: rows from `firstRow` on,
    /// pooled.
    ///
    /// A pass that reads one token of each row has pooled already.
    package func pool(
        _ h: Matrix, _ pooling: Pooling, last: SummaryToken = .last, firstRow: Int, into y: Matrix
    ) {
        let summary = pooling.summary(last: last)
        guard readsOneToken || summary != nil else {
            return gk_pool_rows(
                team.kernel, pooling.kernel, Int64(y.rows), starts + firstRow, Int64(h.columns), h.base, y.base,
                Int64(y.stride))
        }
        for row in 0..<y.rows {
            let token =
                readsOneToken
                ? firstRow + row : Int(self.token(summary ?? .first, ofRow: firstRow + row))
            (y.base + row * y.stride).update(from: h.base + token * h.stride, count: h.columns)
        }
    }

    /// Adds to d(h) from d(y), for all rows of a pass that pooled h alike.
    package func poolBackward(
        _ dy: Matrix, _ pooling: Pooling, last: SummaryToken = .last, of h: Matrix, into dh: Matrix
    ) {
        let summary = pooling.summary(last: last)
        guard readsOneToken || summary != nil else {
            return gk_pool_rows_backward(
                team.kernel, pooling.kernel, Int64(dy.rows), starts, Int64(dy.columns), h.base, dy.base,
                Int64(dy.stride), dh.base)
        }
        for row in 0..<dy.rows {
            let token = readsOneToken ? row : Int(self.token(summary ?? .first, ofRow: row))
            team.add(dy.rows(from: row, count: 1), to: dh.rows(from: token, count: 1))
        }
    }
}
