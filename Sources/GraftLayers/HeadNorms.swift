import GraftTensor

/// RMS norms of queries and keys, which stand before rotary positions turn them.
///
/// q [m, heads · d], k [tokens, key heads · d], each head on its own (Qwen 3), or all together
/// (OLMo 2).
package struct HeadNorms: Sendable {
    private let query: RMSNorm
    private let key: RMSNorm

    struct Kept: BitwiseCopyable {
        let query: RMSNorm.Kept
        let key: RMSNorm.Kept
    }

    package init(query: RMSNorm, key: RMSNorm) {
        self.query = query
        self.key = key
    }

    /// Room for normed projections, or for their gradients; v is that of `parts`.
    func make(_ parts: QueryKeyValue.Projections, in arena: Arena) throws(GraftError) -> QueryKeyValue.Projections {
        QueryKeyValue.Projections(
            q: try arena.matrix(rows: parts.q.rows, columns: parts.q.columns),
            k: try arena.matrix(rows: parts.k.rows, columns: parts.k.columns), v: parts.v)
    }

    /// Where `keeps`, `parts` must stay as they are until backward.
    func forward(
        _ parts: QueryKeyValue.Projections, into normed: QueryKeyValue.Projections, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept? {
        let query = try query.forward(parts.q, into: normed.q, keeps: keeps, pass: pass)
        let key = try key.forward(parts.k, into: normed.k, keeps: keeps, pass: pass)
        guard let query, let key else { return nil }
        return Kept(query: query, key: key)
    }

    /// The gradients of what was normed, from those of what came of it.
    func backward(
        _ normed: QueryKeyValue.Projections, _ kept: Kept, into parts: QueryKeyValue.Projections, pass: Pass
    ) {
        query.backward(normed.q, kept.query, into: parts.q, pass: pass)
        key.backward(normed.k, kept.key, into: parts.k, pass: pass)
    }
}
