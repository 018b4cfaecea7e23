import GraftLayers
import GraftTensor

extension RowBatch {
    /// A number that changes with the rows, their order and their labels.
    var fingerprint: UInt64 {
        var hash = UInt64(rowCount)
        for row in 0..<rowCount { hash = mixed(hash, UInt64(length(ofRow: row))) }
        for list in [tokens, types] + columns.map(\.integers) {
            for number in list { hash = mixed(hash, UInt64(UInt32(bitPattern: number))) }
        }
        for column in columns {
            for number in column.floats { hash = mixed(hash, UInt64(number.bitPattern)) }
        }
        return sourceRows.map { mixed(hash, $0.fingerprint) } ?? hash
    }
}
