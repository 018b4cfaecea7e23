import GraftTensor

/// y = W_o attention(W_q x, W_k s, W_v s): tokens ask those that an encoder read for their row.
///
/// x [m, width] → y [m, width], s [source tokens, width]: the encoder's last states, to which
/// backward adds where the encoder learns.
package struct CrossAttention: Mixer {
    private let query: Linear
    /// Keys and values, in this order, as one product.
    private let keyValue: Linear
    private let attention: Attention
    private let output: Linear
    /// Which layer of the cache of sources.
    private let layer: Int
    /// Width of all heads.
    private let width: Int

    private struct Kept: BitwiseCopyable {
        let query: Linear.Kept
        let keyValue: Linear.Kept
        let attention: Attention.Kept
        let output: Linear.Kept
    }

    package init(query: Linear, keyValue: Linear, attention: Attention, output: Linear, layer: Int, width: Int) {
        self.query = query
        self.keyValue = keyValue
        self.attention = attention
        self.output = output
        self.layer = layer
        self.width = width
    }

    package func readsInput(_ pass: Pass) -> Bool { query.readsInput(pass) }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let arena = pass.arena(keeping: keeps)
        let q = try arena.matrix(rows: x.rows, columns: width)
        let queryKept = try query.forward(x, into: q, keeps: keeps, pass: pass)
        var keyValueKept: Linear.Kept?
        var (k, v) = (q, q)
        if let states = pass.source?.states {
            let joint = try arena.matrix(rows: states.hidden.rows, columns: 2 * width)
            keyValueKept = try keyValue.forward(states.hidden, into: joint, keeps: keeps, pass: pass)
            (k, v) = parts(joint)
            try pass.cache?.sources?.keep(layer: layer, k, v, pass: pass)
        }
        if let sources = pass.cache?.sources { (k, v) = try sources.held(layer: layer) }
        let context = try pass.arena(keeping: keeps).matrix(rows: y.rows, columns: width)
        let attentionKept = try attention.forward(q: q, k: k, v: v, into: context, keeps: keeps, pass: pass)
        let outputKept = try output.forward(context, into: y, keeps: keeps, keepsOnly: keepsOnly, pass: pass)
        guard let attentionKept, let keyValueKept else { return nil }
        return try pass.keep(
            Kept(query: queryKept, keyValue: keyValueKept, attention: attentionKept, output: outputKept))
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let dContext = try pass.scratch.matrix(rows: dy.rows, columns: width)
        try output.backward(dy, kept.output, into: dContext, pass: pass)
        let dq = try pass.scratch.matrix(rows: dy.rows, columns: width)
        let joint = try pass.scratch.matrix(rows: kept.keyValue.x.rows, columns: 2 * width)
        let (dk, dv) = parts(joint)
        attention.backward(dContext, kept.attention, dq: dq, dk: dk, dv: dv, pass: pass)
        try keyValue.backward(
            joint, kept.keyValue, into: pass.source?.states?.gradient, accumulate: true, pass: pass)
        try query.backward(dq, kept.query.reading(x), into: dx, accumulate: accumulate, pass: pass)
    }

    private func parts(_ joint: Matrix) -> (k: Matrix, v: Matrix) {
        (joint.columns(from: 0, count: width), joint.columns(from: width, count: width))
    }
}
