import GraftLayers
import GraftTensor

/// The ranks of one module, of which a file leaves out those that training has pruned.
///
/// A singular value that is pruned is −0, and one that is only 0 is not: so the numbers say which
/// are, in checkpoints and in the best weights as well.
package struct PrunedRanks: Sendable {
    static let mark: Float = -0.0

    /// As the file's pattern calls it: "….query.lora_E".
    let name: String
    /// E [rank, 1].
    let singularValues: Parameter
    /// Of every rank that the module began with, whether it has it still: a file that was read may
    /// have left some out.
    let places: [Bool]

    /// The ranks that are not pruned, of those in memory.
    func kept(_ values: UnsafePointer<Float>) -> [Int] {
        (0..<singularValues.count).filter {
            values[singularValues.offset + $0].bitPattern != Self.mark.bitPattern
        }
    }

    /// Of every rank that the module began with, whether a file has it.
    func pattern(_ values: UnsafePointer<Float>) -> [Bool] {
        var pattern = places
        let kept = Set(kept(values))
        for (rank, place) in places.indices.filter({ places[$0] }).enumerated() {
            pattern[place] = kept.contains(rank)
        }
        return pattern
    }
}
