import Glibc
import GraftTensor

/// What stands for distances between tokens in disentangled attention (He et al. 2021): a table
/// [2 span, width], frozen and shared by all layers, of which a distance has the row of its bucket.
///
/// Small distances have buckets of their own; larger ones share buckets that widen as the logarithm
/// does (He et al. 2023). Without `bucketCount` each has its own, up to the span.
package final class RelativePositions: Sendable {
    private let table: Memory
    let width: Int
    private let reach: Int
    /// Of distances from `-reach` to `reach`, a query's place less its key's.
    private let buckets: [Int32]

    /// - Parameters:
    ///   - table: [2 span, width], as the projections read it.
    ///   - maximumPosition: the distance from which on all share a bucket.
    ///   - reach: The longest row.
    package init(table: Memory, width: Int, span: Int, bucketCount: Int?, maximumPosition: Int, reach: Int) {
        self.table = table
        self.width = width
        self.reach = reach
        buckets = (-reach...reach).map { distance in
            let bucket =
                bucketCount.map { Self.bucket(of: distance, count: $0, maximumPosition: maximumPosition) } ?? distance
            return Int32(min(max(bucket + span, 0), 2 * span - 1))
        }
    }

    /// In single precision, as transformers.
    private static func bucket(of distance: Int, count: Int, maximumPosition: Int) -> Int {
        let half = count / 2
        guard abs(distance) > half else { return distance }
        let share =
            logf(Float(abs(distance)) / Float(half)) / logf(Float(Double(maximumPosition - 1) / Double(half)))
        return (Int((share * Float(half - 1)).rounded(.up)) + half) * distance.signum()
    }

    /// Rows of the table that rows of so many tokens need.
    func rows(ofLength length: Int) -> Range<Int> {
        let most = min(max(length - 1, 0), reach)
        return Int(buckets[reach - most])..<Int(buckets[reach + most]) + 1
    }

    /// Writes those rows to x [rows, width].
    func copy(_ rows: Range<Int>, to x: Matrix) {
        Matrix(table.floats(from: rows.lowerBound * width), rows: rows.count, columns: width).copy(to: x)
    }

    /// Runs `body` with the bucket of distance 0, beside which those of others are.
    func withBuckets(_ body: (UnsafePointer<Int32>) throws(GraftError) -> Void) throws(GraftError) {
        var failure: GraftError?
        buckets.withUnsafeBufferPointer { buckets in
            guard let base = buckets.baseAddress else { return }
            do throws(GraftError) { try body(base + reach) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
