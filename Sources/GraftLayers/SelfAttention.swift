import GraftTensor

/// y = W_o attention(rotate(norm(W_q x)), rotate(norm(W_k x)), W_v x): tokens ask those of their
/// row.
///
/// x [tokens, width] → y [m, width], where m is the tokens, or in a model's last layer those that
/// are read.
package struct SelfAttention: Mixer {
    private let projections: QueryKeyValue
    /// nil where queries and keys are as they were projected.
    private let norms: HeadNorms?
    /// nil where positions are in the embeddings.
    private let rotary: Rotary?
    private let attention: Attention
    private let output: Linear
    /// Which layer of the key/value cache.
    private let layer: Int
    /// Of queries and all that comes of them.
    private let unit: Pass.Unit
    /// Width of all query heads.
    private let width: Int
    /// Whether what attention gave is kept for backward, rather than computed once more where no
    /// adapter reads it.
    private let keepsContext: Bool

    private struct Kept: BitwiseCopyable {
        let projections: QueryKeyValue.Kept
        let norms: HeadNorms.Kept?
        let attention: Attention.Kept
        let output: Linear.Kept
    }

    package init(
        projections: QueryKeyValue, norms: HeadNorms? = nil, rotary: Rotary? = nil, attention: Attention,
        output: Linear, layer: Int, unit: Pass.Unit, width: Int, keepsContext: Bool
    ) {
        self.projections = projections
        self.norms = norms
        self.rotary = rotary
        self.attention = attention
        self.output = output
        self.layer = layer
        self.unit = unit
        self.width = width
        self.keepsContext = keepsContext
    }

    package func readsInput(_ pass: Pass) -> Bool { projections.readsInput(pass) }

    package func learns(_ pass: Pass) -> Bool { pass.learnsPrefix }

    private func keepsContext(_ pass: Pass) -> Bool { keepsContext || output.readsInput(pass) }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let arena = pass.arena(keeping: keeps)
        let projected = try projections.make(in: arena, pass: pass)
        let projectionsKept = try projections.forward(x, into: projected, keeps: keeps, pass: pass)
        let parts = try norms?.make(projected, in: arena) ?? projected
        let normsKept = try norms?.forward(projected, into: parts, keeps: keeps, pass: pass)
        rotary?.forward(parts.q, unit: unit, pass: pass)
        rotary?.forward(parts.k, unit: .tokens, pass: pass)
        let (k, v) = try pass.asked(layer: layer, parts.k, parts.v)
        let context = try pass.arena(keeping: keeps && keepsContext(pass)).matrix(rows: y.rows, columns: width)
        let attentionKept = try attention.forward(q: parts.q, k: k, v: v, into: context, keeps: keeps, pass: pass)
        let outputKept = try output.forward(context, into: y, keeps: keeps, keepsOnly: keepsOnly, pass: pass)
        guard let attentionKept else { return nil }
        return try pass.keep(
            Kept(
                projections: projectionsKept, norms: normsKept,
                attention: attentionKept.reading(k: parts.k, v: parts.v),
                output: outputKept))
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let dContext = try pass.scratch.matrix(rows: dy.rows, columns: width)
        try output.backward(dy, kept.output, into: dContext, pass: pass)
        let projected = try projections.make(in: pass.scratch, pass: pass)
        let parts = try norms?.make(projected, in: pass.scratch) ?? projected
        // Copies of what is kept, which are cheap to make again.
        let (k, v) = try pass.asked(layer: layer, kept.attention.k, kept.attention.v)
        var attentionKept = kept.attention.reading(k: k, v: v)
        if !keepsContext(pass) {
            let context = try pass.scratch.matrix(rows: dy.rows, columns: width)
            attentionKept = try attention.again(attentionKept, into: context, pass: pass)
        }
        if pass.hasPrefixes {
            let dk = try pass.scratch.matrix(rows: k.rows, columns: k.columns)
            let dv = try pass.scratch.matrix(rows: v.rows, columns: v.columns)
            attention.backward(dContext, attentionKept, dq: parts.q, dk: dk, dv: dv, pass: pass)
            pass.withoutPrefixes(layer: layer, dk, dv, into: parts.k, parts.v)
        } else {
            attention.backward(dContext, attentionKept, dq: parts.q, dk: parts.k, dv: parts.v, pass: pass)
        }
        rotary?.backward(parts.q, unit: unit, pass: pass)
        rotary?.backward(parts.k, unit: .tokens, pass: pass)
        if let norms, let normsKept = kept.norms {
            norms.backward(parts, normsKept, into: projected, pass: pass)
        }
        let projectionsKept = try projections.reading(x, kept.projections, pass: pass)
        try projections.backward(projected, projectionsKept, into: dx, accumulate: accumulate, pass: pass)
    }
}
