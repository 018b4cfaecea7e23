import GraftTensor

/// A frozen base model: immutable, shared by any number of passes. All that adapters, trainers and
/// sessions know of one.
///
///     h = embeddings(ids);  h = layer(h) for each layer;  h = norm(h) where there is one
///
/// Where it has an encoder, this is its decoder, whose layers also read what the encoder makes of
/// other rows, their sources.
package final class Model: Sendable {
    package let conventions: Conventions
    package let shape: ModelShape
    /// Where adapters may act. An adapter's actions are indexed like this array.
    package let sites: [Site]
    /// The sites that have a row, or an output, for each token of the vocabulary.
    package let vocabulary: VocabularySites
    /// Which of a row's tokens stands for it in classification.
    package let summaryToken: SummaryToken
    /// What stands for a row in the architecture's own class.
    package let headPooling: Pooling
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
    /// What the states are multiplied by before that.
    package let headScale: Float
    /// What the logits are bounded by softly: they become c tanh(x / c).
    package let logitSoftCap: Float?
    /// The head for masked words; nil where the checkpoint has none.
    package let maskedHead: MaskedHead?
    /// Tokens that end a text.
    package let endTokens: [Int32]
    package let writing: WritingRules
    /// Dropout before the head of rows.
    private let headDropout: Float
    /// The same in the token classification and question answering classes.
    private let tokenHeadDropout: Float
    private let answerHeadDropout: Float
    /// Standard deviation of fresh head weights.
    package let initializerRange: Float

    /// What a decoder's rows begin with; nil where rows are the model's own.
    package let decoderTokens: DecoderTokens?

    private let encoder: Encoder?
    private let embeddings: InputEmbeddings
    private let layers: LayerStack
    private let finalNorm: Norm?
    private let finalDropout: Dropout?
    private let pooler: Pooler?
    /// The same for each token, where heads of tokens read it.
    private let tokenPooler: Pooler?

    private struct Kept: BitwiseCopyable {
        let encoder: Encoder.Kept?
        let embeddings: InputEmbeddings.Kept
        let layers: LayerStack.Kept
        let norm: Norm.Kept?
    }

    package init(
        _ conventions: Conventions, shape: ModelShape, encoder: Encoder? = nil, decoderTokens: DecoderTokens? = nil,
        embeddings: InputEmbeddings, layers: LayerStack, finalNorm: Norm? = nil, finalDropout: Dropout? = nil,
        pooler: Pooler? = nil, summaryToken: SummaryToken? = nil, headPooling: Pooling? = nil, baseHead: BaseHead?,
        problem: ProblemType?, missingForClassification: [String] = [], languageHead: Linear? = nil,
        headScale: Float = 1, logitSoftCap: Float? = nil, maskedHead: MaskedHead? = nil, vocabulary: VocabularySites,
        endTokens: [Int32] = [], writing: WritingRules = WritingRules(), headDropout: Float = 0,
        tokenHeadDropout: Float? = nil, answerHeadDropout: Float = 0, initializerRange: Float, sites: [Site],
        source: ModelSource
    ) {
        self.conventions = conventions
        self.shape = shape
        self.encoder = encoder
        self.decoderTokens = decoderTokens
        self.embeddings = embeddings
        self.layers = layers
        self.finalNorm = finalNorm
        self.finalDropout = finalDropout
        self.pooler = pooler
        tokenPooler = pooler.flatMap { $0.readsTokens ? $0.with(unit: .tokens) : nil }
        self.summaryToken = summaryToken ?? conventions.summaryToken
        self.headPooling = headPooling ?? Pooling(self.summaryToken)
        self.baseHead = baseHead
        self.problem = problem
        self.vocabulary = vocabulary
        self.missingForClassification = missingForClassification
        self.languageHead = languageHead
        self.headScale = headScale
        self.logitSoftCap = logitSoftCap
        self.maskedHead = maskedHead
        self.endTokens = endTokens
        self.writing = writing
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
        case .rows, .choices: headDropout
        case .tokens: tokenHeadDropout
        case .answers: answerHeadDropout
        }
    }

    /// Bytes of their own memory, and of the tables that are read from mapped files.
    package var memory: (own: Int, mapped: Int) {
        let read = source.memory
        return (read.own + (maskedHead?.residentByteCount ?? 0), read.mapped)
    }

    /// `model_type` of config.json.
    package var architecture: String { conventions.architecture }

    /// Hidden states of the last layer, of the tokens read. Keeps what backward needs of layers
    /// from `pass.keptDepth` on.
    package func forward(_ pass: Pass) throws(GraftError) -> HiddenStates {
        let width = shape.hiddenSize
        var encoderKept: Encoder.Kept?
        if let encoder, let source = pass.source {
            source.keptDepth = pass.keptDepth
            encoderKept = try encoder.forward(source)
        }
        guard encoder == nil || pass.sourceSequences != nil else {
            throw GraftError(
                .unsupported,
                "a \(architecture) model reads rows and writes others: expected rows with targets, or a call that writes "
                    + "them")
        }
        let keepsAny = pass.keptDepth <= shape.lastDepth
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
        finalDropout?.apply(to: hidden, pass)
        // As transformers counts them, the last hidden states are normed.
        try pass.finishLayer(shape.layerCount, hidden: hidden)
        let kept = try pass.keep(
            Kept(encoder: encoderKept, embeddings: embeddingsKept, layers: layersKept, norm: normKept))
        return HiddenStates(matrix: hidden, kept: kept)
    }

    /// Has `pass.capture` receive hidden states of the tokens that a user gave: those of the
    /// encoder, where there is one.
    package func read(_ pass: Pass) throws(GraftError) {
        if let encoder { _ = try encoder.forward(pass) } else { _ = try forward(pass) }
    }

    /// Backward from d(those), which is overwritten, down to `pass.keptDepth`.
    package func backward(_ gradient: Matrix, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let kept = hidden.kept?.assumingMemoryBound(to: Kept.self).pointee else { return }
        finalDropout?.apply(to: gradient, pass)
        if let finalNorm, let norm = kept.norm { finalNorm.backward(gradient, norm, into: gradient, pass: pass) }
        if let gradient = try layers.backward(gradient, kept.layers, pass: pass) {
            try embeddings.backward(gradient, kept.embeddings, pass: pass)
        }
        if let encoder, let encoderKept = kept.encoder, let source = pass.source {
            try encoder.backward(encoderKept, pass: source)
        }
        try pass.virtualRowsBackward()
    }

    /// Whether heads of tokens read what `pool` makes of them.
    package var poolsTokens: Bool { tokenPooler != nil }

    /// What the model makes of rows' summary tokens [rows, hidden], or of each token, for its own
    /// heads.
    package func pool(
        _ summaries: Matrix, ofTokens: Bool = false, pass: Pass
    ) throws(GraftError) -> Representation {
        guard let pooler = ofTokens ? tokenPooler : pooler else { return Representation(matrix: summaries, kept: nil) }
        return try pooler.forward(summaries, keeps: pass.keeps(atDepth: shape.poolerDepth), pass: pass)
    }

    /// d(summaries) from d(representation), which is overwritten.
    package func poolBackward(
        _ gradient: Matrix, _ representation: Representation, ofTokens: Bool = false, into dSummaries: Matrix?,
        pass: Pass
    ) throws(GraftError) {
        guard let pooler = ofTokens ? tokenPooler : pooler else {
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
