import CGraftKernels
import GraftTensor

/// What of the last hidden states of a row's tokens stands for the row.
package enum Pooling: Int32, Sendable, CaseIterable {
    case mean = 0
    case first = 1
    case last = 2

    package init(_ summary: SummaryToken) {
        switch summary {
        case .first: self = .first
        case .last: self = .last
        }
    }

    /// The token whose hidden state it is; nil where all count.
    package var summary: SummaryToken? {
        switch self {
        case .mean: nil
        case .first: .first
        case .last: .last
        }
    }

    /// As files and Python call it.
    package var name: String { "\(self)" }

    package init?(name: String) {
        guard let pooling = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = pooling
    }
}

extension Pass {
    /// y [count, hidden] from the last hidden states h of the tokens read: rows from `firstRow` on, pooled.
    ///
    /// A pass that reads one token of each row has pooled already.
    package func pool(_ h: Matrix, _ pooling: Pooling, firstRow: Int, into y: Matrix) {
        if readsOneToken {
            y.base.update(from: h.base + firstRow * h.columns, count: y.count)
        } else if let summary = pooling.summary {
            for row in 0..<y.rows {
                let token = Int(self.token(summary, ofRow: firstRow + row))
                (y.base + row * y.stride).update(from: h.base + token * h.stride, count: h.columns)
            }
        } else {
            gk_mean_rows_forward(
                team.kernel, Int64(y.rows), starts + firstRow, Int64(h.columns), h.base, y.base)
        }
    }

    /// d(h) from d(y), for all rows of a pass that pooled them alike.
    package func poolBackward(_ dy: Matrix, _ pooling: Pooling, into dh: Matrix) {
        if readsOneToken {
            dh.base.update(from: dy.base, count: dy.count)
        } else if let summary = pooling.summary {
            dh.base.update(repeating: 0, count: dh.count)
            for row in 0..<dy.rows {
                let token = Int(self.token(summary, ofRow: row))
                (dh.base + token * dh.stride).update(from: dy.base + row * dy.stride, count: dy.columns)
            }
        } else {
            gk_mean_rows_backward(team.kernel, Int64(dy.rows), starts, Int64(dy.columns), dy.base, dh.base)
        }
    }
}
