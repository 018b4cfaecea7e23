import CGraftKernels
import GraftTensor

/// Exact search among stored vectors: by products, which of vectors of length 1 are their cosines.
package struct NearestVectors {
    private let team: Team
    private let found: Memory
    private let bestCount: Int

    /// Finds, for each query [width], the `bestCount` vectors with the largest products.
    package init(
        among vectors: UnsafeBufferPointer<Float>, queries: UnsafeBufferPointer<Float>, width: Int, bestCount: Int,
        threadCount: Int
    ) throws(GraftError) {
        let (count, queryCount) = (vectors.count / width, queries.count / width)
        team = try Team(threadCount: threadCount)
        self.bestCount = bestCount
        found = try Memory(
            byteCount: team.threadCount * queryCount * bestCount * MemoryLayout<gk_found>.stride)
        let bad = gk_nearest(
            team.kernel, Int64(count), Int64(width), vectors.baseAddress, Int64(queryCount), queries.baseAddress,
            Int64(bestCount), found.base.assumingMemoryBound(to: gk_found.self))
        guard bad < 0 else {
            throw GraftError(
                .diverged,
                "vector \(bad): its product with a query is not finite; expected vectors and queries of numbers that are, "
                    + "and that do not overflow")
        }
    }

    /// The vector that is the `rank`-th nearest to a query, from 0; nil where there are no more.
    package subscript(query: Int, rank: Int) -> (place: Int64, product: Float)? {
        let own = found.base.assumingMemoryBound(to: gk_found.self)[query * bestCount + rank]
        return own.place == .max ? nil : (own.place, own.product)
    }
}
