import GraftTensor

extension RowBatch {
    /// Checks that a column is there, with so many numbers each.
    package func require(_ kind: ColumnKind, width: Int) throws(GraftError) {
        let each = kind.unit == .rows ? "row" : "token"
        guard let column = column(kind) else {
            throw GraftError(
                .incompatible, "the rows have no \(kind.name): expected \(width) for each \(each), set before")
        }
        guard column.width == width else {
            throw GraftError(
                .incompatible, "\(kind.name) has \(column.width) numbers for each \(each); expected \(width)")
        }
    }

    /// The numbers of a column of floats; empty without one.
    package func floats(_ kind: ColumnKind) -> [Float] { column(kind)?.floats ?? [] }

    /// Checks that targets are numbers.
    package func requireFiniteTargets() throws(GraftError) {
        for (row, target) in floats(.targets).enumerated() where !target.isFinite {
            throw GraftError(.incompatible, "row \(row) has target \(target); expected a finite number")
        }
    }
}
