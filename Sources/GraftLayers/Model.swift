import GraftTensor

/// A frozen base model: immutable, shared by any number of passes. All that adapters, trainers and
/// sessions know of one.
///
///     h = embeddings(ids);  h = layer(h) for each layer;  h = norm(h) where there is one
package final class Model: Sendable {
    package let conventions: Conventions
    package let shape: ModelShape
    /// Where adapters may act. An adapter's actions are indexed like this array.
    package let sites: [Site]
    /// The sites that have a row, or an output, for each token of the vocabulary.
    package let vocabulary: VocabularySites
    /// Which of a row's tokens stands for it in classification.
    package let summaryToken: SummaryToken
    /// What was loaded: folder, number of parameters, and the packed weights for checksums.
    package let source: ModelSource
    /// A head that the checkpoint itself has.
    package let baseHead: BaseHead?
    /// `problem_type` of config.json: what transformers and PEFT train a classification head of
    /// this model for.
    package let problem: ProblemType?
    /// Modules that must be an adapter's own before rows can be classified, because the checkpoint
    /// lacks them.
    package let missingForClassification: [String]
    /// Logits over the vocabulary, W h, from the last hidden states of chosen tokens; nil where the
    /// model is not one of language.
    package let languageHead: Linear?
    /// Tokens that end a text.
    package let endTokens: [Int32]
    /// Dropout before the head of rows.
    private let headDropout: Float
    /// The same in the token classification and question answering classes.
    private let tokenHeadDropout: Float
    private let answerHeadDropout: Float
    /// Standard deviation of fresh head weights.
    package let initializerRange: Float

    private let embeddings: InputEmbeddings
    private let layers: LayerStack
    private let finalNorm: Norm?
    private let pooler: Pooler?

    private struct Kept: BitwiseCopyable {
        let embeddings: InputEmbeddings.Kept
        let layers: LayerStack.Kept
        let norm: Norm.Kept?
    }

    package init(
        _ conventions: Conventions, shape: ModelShape, embeddings: InputEmbeddings, layers: LayerStack,
        finalNorm: Norm? = nil, pooler: Pooler? = nil, summaryToken: SummaryToken? = nil,
        baseHead: BaseHead?, problem: ProblemType?,
        missingForClassification: [String] = [], languageHead: Linear? = nil, vocabulary: VocabularySites,
        endTokens: [Int32] = [], headDropout: Float = 0, tokenHeadDropout: Float? = nil,
        answerHeadDropout: Float = 0, initializerRange: Float,
        sites: [Site], source: ModelSource
    ) {
        self.conventions = conventions
        self.shape = shape
        self.embeddings = embeddings
        self.layers = layers
        self.finalNorm = finalNorm
        self.pooler = pooler
        self.summaryToken = summaryToken ?? conventions.summaryToken
        self.baseHead = baseHead
        self.problem = problem
        self.vocabulary = vocabulary
        self.missingForClassification = missingForClassification
        self.languageHead = languageHead
        self.endTokens = endTokens
        self.headDropout = headDropout
        self.tokenHeadDropout = tokenHeadDropout ?? headDropout
        self.answerHeadDropout = answerHeadDropout
        self.initializerRange = initializerRange
        self.sites = sites
        self.source = source
    }

    /// Dropout before the head of a class.
    package func headDropout(_ head: HeadClass) -> Float {
        switch head {
        case .rows: headDropout
        case .tokens: tokenHeadDropout
        case .answers: answerHeadDropout
        }
    }

    /// `model_type` of config.json.
    package var architecture: String { conventions.architecture }

    /// Hidden states of the last layer, of the tokens read. Keeps what backward needs of layers
    /// from `pass.keptDepth` on.
    package func forward(_ pass: Pass) throws(GraftError) -> HiddenStates {
        let width = shape.hiddenSize
        let keepsAny = pass.keptDepth <= shape.layerCount
        try pass.makeVirtualRows(keeps: keepsAny)
        let embedded = try pass.arena(keeping: keepsAny).matrix(rows: pass.tokenCount, columns: width)
        let embeddingsKept = try embeddings.forward(into: embedded, pass: pass)
        var (hidden, layersKept) = try layers.forward(embedded, pass: pass)
        var normKept: Norm.Kept?
        if let finalNorm {
            let normed = try pass.arena(keeping: keepsAny).matrix(rows: hidden.rows, columns: width)
            normKept = try finalNorm.forward(hidden, into: normed, keeps: keepsAny, pass: pass)
            hidden = normed
        }
        // As transformers counts them, the last hidden states are normed.
        try pass.finishLayer(shape.layerCount, hidden: hidden)
        let kept = try pass.keep(Kept(embeddings: embeddingsKept, layers: layersKept, norm: normKept))
        return HiddenStates(matrix: hidden, kept: kept)
    }

    /// Backward from d(those), which is overwritten, down to `pass.keptDepth`.
    package func backward(_ gradient: Matrix, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let kept = hidden.kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        if let finalNorm, let norm = kept.norm { finalNorm.backward(gradient, norm, into: gradient, pass: pass) }
        if let gradient = try layers.backward(gradient, kept.layers, pass: pass) {
            try embeddings.backward(gradient, kept.embeddings, pass: pass)
        }
        try pass.virtualRowsBackward()
    }

    /// What the model makes of rows' summary tokens [rows, hidden] for its own heads: [rows,
    /// hidden].
    package func pool(_ summaries: Matrix, pass: Pass) throws(GraftError) -> Representation {
        guard let pooler else { return Representation(matrix: summaries, kept: nil) }
        return try pooler.forward(summaries, keeps: pass.keeps(atDepth: shape.poolerDepth), pass: pass)
    }

    /// d(summaries) from d(representation), which is overwritten.
    package func poolBackward(
        _ gradient: Matrix, _ representation: Representation, into dSummaries: Matrix?, pass: Pass
    ) throws(GraftError) {
        guard let pooler else {
            dSummaries?.base.update(from: gradient.base, count: gradient.count)
            return
        }
        try pooler.backward(gradient, representation, into: dSummaries, pass: pass)
    }
}

/// A checkpoint's own head.
package struct BaseHead: Sendable {
    package let linear: Linear
    package let labels: [String]
    /// Of which class the checkpoint is.
    package let kind: HeadClass

    package init(linear: Linear, labels: [String], kind: HeadClass) {
        self.linear = linear
        self.labels = labels
        self.kind = kind
    }
}

package struct HiddenStates: BitwiseCopyable {
    package let matrix: Matrix
    /// The architecture's own record for backward, in the pass's kept arena.
    package let kept: UnsafeMutableRawPointer?

    package init(matrix: Matrix, kept: UnsafeMutableRawPointer?) {
        self.matrix = matrix
        self.kept = kept
    }
}

package struct Representation: BitwiseCopyable {
    package let matrix: Matrix
    package let kept: UnsafeMutableRawPointer?

    package init(matrix: Matrix, kept: UnsafeMutableRawPointer?) {
        self.matrix = matrix
        self.kept = kept
    }
}
