import CGraftKernels
import GraftTensor

/// What a stack of layers is given: h = dropout(norm(word[t] + position[i] + type[s])); h [tokens,
/// width].
///
/// Positions, types, norm and dropout are there where the architecture has them. A virtual token of
/// an adapter has its own numbers in place of a word's. A pass may have something added to either,
/// and be asked for the gradient of their sum.
package struct InputEmbeddings: Sendable {
    private let words: Embedding
    private let positions: Embedding?
    private let numbering: PositionNumbering
    private let types: Embedding?
    private let norm: LayerNorm?
    private let dropoutProbability: Float

    /// The dropout of the embeddings is a model's first.
    private static let dropoutSite = 0

    package struct Kept: BitwiseCopyable {
        let words: Embedding.Kept
        let positions: Embedding.Kept?
        let types: Embedding.Kept?
        let norm: LayerNorm.Kept?
    }

    package init(
        words: Embedding, positions: Embedding? = nil, numbering: PositionNumbering = .places,
        types: Embedding? = nil, norm: LayerNorm? = nil, dropoutProbability: Float = 0
    ) {
        self.words = words
        self.positions = positions
        self.numbering = numbering
        self.types = types
        self.norm = norm
        self.dropoutProbability = dropoutProbability
    }

    /// Keeps what backward needs where the embeddings learn.
    package func forward(into h: Matrix, pass: Pass) throws(GraftError) -> Kept {
        let keeps = pass.keeps(atDepth: 0)
        let words = try words.forward(pass.tokens, into: h, accumulate: false, keeps: keeps, pass: pass)
        pass.writePrompts(into: h)
        pass.perturb(h)
        let positions = try positions?.forward(
            pass.numbers(numbering, keeps: keeps), into: h, accumulate: true, keeps: keeps, pass: pass)
        let types = try types?.forward(pass.types, into: h, accumulate: true, keeps: keeps, pass: pass)
        let norm = try norm?.forward(h, into: h, keeps: keeps, pass: pass)
        drop(h, pass)
        return Kept(words: words, positions: positions, types: types, norm: norm)
    }

    /// From dh, which is overwritten. Adds to the adapters' gradients.
    package func backward(_ dh: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) {
        drop(dh, pass)
        if let norm, let normKept = kept.norm { norm.backward(dh, normKept, into: dh, pass: pass) }
        if let positions, let kept = kept.positions { try positions.backward(dh, kept, pass: pass) }
        if let types, let kept = kept.types { try types.backward(dh, kept, pass: pass) }
        pass.report(dh)
        pass.takePrompts(outOf: dh)
        try words.backward(dh, kept.words, pass: pass)
    }

    private func drop(_ h: Matrix, _ pass: Pass) {
        guard
            var dropout = pass.dropout(
                site: Self.dropoutSite, probability: dropoutProbability, width: h.columns)
        else { return }
        gk_apply_dropout(pass.team.kernel, &dropout, Int64(h.count), h.base, h.base)
    }
}
