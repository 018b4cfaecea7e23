import CGraftKernels
import GraftTensor

/// What a stack of layers is given: h = dropout(norm(σ word[t] + position[i] + type[s])); h
/// [tokens, width].
///
/// The factor σ, positions, types, norm and dropout are there where the architecture has them, and
/// where its tables are narrower than its layers, a projection after these: h ← W h + b. A virtual
/// token of an adapter has its own numbers in place of a word's. A pass may have something added to
/// either, and be asked for the gradient of their sum.
package struct InputEmbeddings: Sendable {
    private let words: Embedding
    private let wordScale: Float
    private let positions: Embedding?
    private let numbering: PositionNumbering
    private let types: Embedding?
    private let norm: LayerNorm?
    private let projection: Linear?
    private let dropout: Dropout?
    /// Of the sites: see `ModelShape`.
    private let depth: Int

    package struct Kept: BitwiseCopyable {
        let words: Embedding.Kept
        let positions: Embedding.Kept?
        let types: Embedding.Kept?
        let norm: LayerNorm.Kept?
        let projection: Linear.Kept?
    }

    package init(
        words: Embedding, wordScale: Float = 1, positions: Embedding? = nil, numbering: PositionNumbering = .places,
        types: Embedding? = nil, norm: LayerNorm? = nil, projection: Linear? = nil, dropout: Dropout? = nil,
        depth: Int = 0
    ) {
        self.words = words
        self.wordScale = wordScale
        self.positions = positions
        self.numbering = numbering
        self.types = types
        self.norm = norm
        self.projection = projection
        self.dropout = dropout
        self.depth = depth
    }

    /// Keeps what backward needs where the embeddings learn.
    package func forward(into h: Matrix, pass: Pass) throws(GraftError) -> Kept {
        let keeps = pass.keeps(atDepth: depth)
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let x = try projection == nil ? h : pass.arena(keeping: keeps).matrix(rows: h.rows, columns: words.width)
        let words = try words.forward(pass.tokens, into: x, accumulate: false, keeps: keeps, pass: pass)
        scale(x, pass)
        pass.writePrompts(into: x)
        pass.perturb(x)
        let positions = try positions?.forward(
            pass.numbers(numbering, keeps: keeps), into: x, accumulate: true, keeps: keeps, pass: pass)
        let types = try types?.forward(pass.types, into: x, accumulate: true, keeps: keeps, pass: pass)
        let norm = try norm?.forward(x, into: x, keeps: keeps, pass: pass)
        dropout?.apply(to: x, pass)
        let projected = try projection?.forward(x, into: h, keeps: keeps, pass: pass)
        return Kept(words: words, positions: positions, types: types, norm: norm, projection: projected)
    }

    /// From dh, which is overwritten. Adds to the adapters' gradients.
    package func backward(_ dh: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) {
        var dx = dh
        if let projection, let kept = kept.projection {
            dx = try pass.scratch.matrix(rows: dh.rows, columns: words.width)
            try projection.backward(dh, kept, into: dx, pass: pass)
        }
        dropout?.apply(to: dx, pass)
        if let norm, let normKept = kept.norm { norm.backward(dx, normKept, into: dx, pass: pass) }
        if let positions, let kept = kept.positions { try positions.backward(dx, kept, pass: pass) }
        if let types, let kept = kept.types { try types.backward(dx, kept, pass: pass) }
        pass.report(dx)
        pass.takePrompts(outOf: dx)
        scale(dx, pass)
        try words.backward(dx, kept.words, pass: pass)
    }

    private func scale(_ x: Matrix, _ pass: Pass) {
        if wordScale != 1 { gk_scale(pass.team.kernel, Int64(x.count), wordScale, x.base) }
    }
}
