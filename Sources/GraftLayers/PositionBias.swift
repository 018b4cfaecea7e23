import Glibc
import GraftTensor

/// What attention adds to scaled scores by how far a key is behind its query (Raffel et al. 2020,
/// section 2.1): one number for each head and bucket of distances, frozen, shared by all layers.
///
///     scores[i, j] = scale q_i · k_j + table[bucket(j - i), head]
///
/// Small distances have buckets of their own; larger ones share buckets that widen as the logarithm
/// does, up to `maximumDistance`, from which on all are one.
package final class PositionBias: Sendable {
    /// Table entries by distance from `-reach` to `reach`: [heads, 2 reach + 1].
    let byDistance: Memory
    let reach: Int

    /// - Parameters:
    ///   - table: [buckets, heads], as checkpoints have it.
    ///   - bucketCount: Those that are used: an even number, at least 4.
    ///   - maximumDistance: More than half of the buckets of a direction.
    ///   - isCausal: Whether all buckets are for keys before the query.
    package init(table: Matrix, bucketCount: Int, maximumDistance: Int, isCausal: Bool = false) throws(GraftError) {
        reach = maximumDistance
        let span = 2 * reach + 1
        byDistance = try Memory(byteCount: table.columns * span * 4)
        for distance in -reach...reach {
            let bucket = Self.bucket(
                of: distance, count: bucketCount, maximumDistance: maximumDistance, isCausal: isCausal)
            let entries = table.base + bucket * table.stride
            for head in 0..<table.columns { byDistance.floats()[head * span + distance + reach] = entries[head] }
        }
    }

    /// In single precision, as transformers: at powers of two another last place would be another
    /// bucket.
    private static func bucket(of distance: Int, count: Int, maximumDistance: Int, isCausal: Bool) -> Int {
        let ofDirection = isCausal ? count : count / 2
        let first = !isCausal && distance > 0 ? ofDirection : 0
        let away = isCausal ? max(0, -distance) : abs(distance)
        let exact = ofDirection / 2
        guard away >= exact else { return first + away }
        let share = logf(Float(away) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
        return first + min(ofDirection - 1, exact + Int(share * Float(ofDirection - exact)))
    }
}
