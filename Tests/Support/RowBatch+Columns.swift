import GraftLayers

extension RowBatch {
    /// The whole numbers of a column, also while it does not cover all rows yet.
    package subscript(kind: ColumnKind) -> [Int32] {
        get { columns.first { $0.kind == kind }?.integers ?? [] }
        set { set(kind, newValue) }
    }
}
