import GraftTensor

/// What an adapter does to the rows y that an embedding site looks up: y ← forward(y, ids).
package protocol EmbeddingAction: AnyObject, Sendable {
    /// Whether it does more to y than to add to it, so that y must be the site's rows alone.
    var changesOutput: Bool { get }
    /// Whether it keeps what follows from the table.
    var readsWeight: Bool { get }

    /// Changes y, which has a row for each of the ids. Returns what backward needs, of
    /// `context.arena`.
    func forward(
        _ ids: UnsafePointer<Int32>, into y: Matrix, _ module: EmbeddingModule, _ context: SiteContext
    ) throws(GraftError) -> UnsafeMutableRawPointer?
    /// Adds to the gradients.
    func backward(
        _ dy: Matrix, ids: UnsafePointer<Int32>, kept: UnsafeMutableRawPointer?, _ context: SiteContext
    ) throws(GraftError)
}

/// An action that only adds.
extension EmbeddingAction {
    package var changesOutput: Bool { false }
    package var readsWeight: Bool { false }
}

/// The table at an embedding site as an action sees it: the model's or an adapter's own.
package struct EmbeddingModule {
    private let embedding: Embedding
    private let own: AttachedAdapter.BoundSite

    init(_ embedding: Embedding, _ own: AttachedAdapter.BoundSite) {
        self.embedding = embedding
        self.own = own
    }

    /// Rows `first ..< first + rows.rows` of the table.
    package func copyRows(from first: Int, into rows: Matrix) {
        if let table = own.weight {
            rows.base.update(from: table.values + first * rows.columns, count: rows.count)
        } else {
            embedding.copyRows(from: first, into: rows)
        }
    }
}
