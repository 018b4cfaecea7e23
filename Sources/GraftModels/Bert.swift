import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

/// BERT (Devlin et al. 2019): an encoder with norms after each sub-layer.
///
///     h = dropout(LayerNorm(word[t] + position[i] + type[s]))
///     a = LayerNorm(h + dropout(W_o attention(W_q h, W_k h, W_v h)))
///     h = LayerNorm(a + dropout(W_2 gelu(W_1 a)))            for each layer
///     pooled = tanh(W_p h[first token])
package final class Bert: Transformer, @unchecked Sendable {
    package let architecture = "bert"
    package let backbone = "bert"
    package let headPath = "classifier"
    package let summaryToken = SummaryToken.first
    package let shape: ModelShape
    package let sites: [Site]
    package let source: ModelSource
    package let baseHead: (linear: Linear, labels: [String])?
    package let problem: ProblemType?
    package let vocabulary: VocabularySites
    package let missingForClassification: [String]
    package let headDropout: Float
    package let initializerRange: Float

    private let words: Embedding
    private let positions: Embedding
    private let types: Embedding
    private let embeddingNorm: LayerNorm
    private let embeddingDropout: Float
    private let layers: LayerStack<BertLayer>
    private let pooler: Linear

    private struct Kept: BitwiseCopyable {
        let words: Embedding.Kept
        let positions: Embedding.Kept
        let types: Embedding.Kept
        let norm: LayerNorm.Kept?
        let layers: LayerStack<BertLayer>.Kept
    }

    private struct PoolerKept: BitwiseCopyable {
        let linear: Linear.Kept
        let beforeTanh: Matrix
    }

    package init(folder: ModelFolder, precision: Precision, team: Team) throws(GraftError) {
        let configuration = try BertConfiguration(folder.config, path: folder.path)
        let hidden = configuration.hiddenSize
        let prefix = folder.hasTensors(below: "bert.") ? "bert." : ""
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: configuration.typeCount, maximumLength: configuration.maximumLength)
        vocabulary = VocabularySites(words: reader.sites.count)
        words = try reader.embedding(
            "embeddings.word_embeddings", rows: configuration.vocabularySize, width: hidden,
            frozenRow: configuration.paddingRow)
        positions = try reader.embedding(
            "embeddings.position_embeddings", rows: configuration.maximumLength, width: hidden)
        types = try reader.embedding("embeddings.token_type_embeddings", rows: configuration.typeCount, width: hidden)
        embeddingNorm = try reader.layerNorm(
            "embeddings.LayerNorm", width: hidden, epsilon: configuration.epsilon, depth: 0)
        embeddingDropout = configuration.hiddenDropout
        var layers: [BertLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try BertLayer(index: index, configuration, &reader))
        }
        self.layers = LayerStack(layers: layers)
        let hasPooler = reader.has("pooler.dense.weight")
        pooler =
            hasPooler
            ? try reader.linear(
                ["pooler.dense"], inputs: hidden, outputs: [hidden], depth: shape.poolerDepth, unit: .rows)
            : try reader.missingLinear(
                "pooler.dense", inputs: hidden, outputs: hidden, depth: shape.poolerDepth, unit: .rows)
        missingForClassification = hasPooler ? [] : ["pooler.dense"]
        baseHead = try reader.classifier("classifier", labels: configuration.labels, shape)
        problem = configuration.problem
        headDropout = configuration.headDropout
        initializerRange = configuration.initializerRange
        sites = reader.sites
        source = ModelSource(
            path: folder.path, parameterCount: reader.parameterCount, precision: precision, weights: reader.packed,
            sentences: SentenceModules.declaration(of: folder, hiddenSize: shape.hiddenSize))
    }

    package func forward(_ pass: Pass) throws(GraftError) -> HiddenStates {
        let width = shape.hiddenSize
        let keepsAny = pass.keptDepth <= shape.layerCount
        let keeps = pass.keeps(atDepth: 0)
        let embedded = try pass.arena(keeping: keepsAny).matrix(rows: pass.tokenCount, columns: width)
        let wordsKept = try words.forward(pass.tokens, into: embedded, accumulate: false, keeps: keeps, pass: pass)
        let positionsKept = try positions.forward(
            pass.positions, into: embedded, accumulate: true, keeps: keeps, pass: pass)
        let typesKept = try types.forward(pass.types, into: embedded, accumulate: true, keeps: keeps, pass: pass)
        let norm = try embeddingNorm.forward(embedded, into: embedded, keeps: keeps, pass: pass)
        withOptionalPointer(pass.dropout(site: 0, probability: embeddingDropout, width: width)) { dropout in
            if let dropout {
                gk_apply_dropout(pass.team.kernel, dropout, Int64(embedded.count), embedded.base, embedded.base)
            }
        }
        let (hidden, layersKept) = try layers.forward(embedded, pass: pass)
        try pass.finishLayer(shape.layerCount, hidden: hidden)
        let kept = try pass.kept.allocate(Kept.self, count: 1)
        kept.initialize(
            to: Kept(words: wordsKept, positions: positionsKept, types: typesKept, norm: norm, layers: layersKept))
        return HiddenStates(matrix: hidden, kept: UnsafeMutableRawPointer(kept))
    }

    package func backward(_ gradient: Matrix, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let kept = hidden.kept?.assumingMemoryBound(to: Kept.self).pointee,
            let gradient = try layers.backward(gradient, kept.layers, pass: pass), let norm = kept.norm
        else { return }
        withOptionalPointer(
            pass.dropout(site: 0, probability: embeddingDropout, width: shape.hiddenSize)
        ) { dropout in
            if let dropout {
                gk_apply_dropout(pass.team.kernel, dropout, Int64(gradient.count), gradient.base, gradient.base)
            }
        }
        embeddingNorm.backward(gradient, norm, into: gradient, pass: pass)
        try types.backward(gradient, kept.types, pass: pass)
        try positions.backward(gradient, kept.positions, pass: pass)
        // Last: the padding token's rows of the gradient are cleared there.
        try words.backward(gradient, kept.words, pass: pass)
    }

    package func pool(_ summaries: Matrix, pass: Pass) throws(GraftError) -> Representation {
        let keeps = pass.keeps(atDepth: shape.poolerDepth)
        let arena = pass.arena(keeping: keeps)
        let pooled = try arena.matrix(rows: pass.rowCount, columns: shape.hiddenSize)
        let beforeTanh = try arena.matrix(rows: pass.rowCount, columns: shape.hiddenSize)
        let linear = try pooler.forward(
            summaries, into: pooled, activation: .tanh, beforeActivation: beforeTanh, keeps: keeps, pass: pass)
        guard keeps else { return Representation(matrix: pooled, kept: nil) }
        let kept = try pass.kept.allocate(PoolerKept.self, count: 1)
        kept.initialize(to: PoolerKept(linear: linear, beforeTanh: beforeTanh))
        return Representation(matrix: pooled, kept: UnsafeMutableRawPointer(kept))
    }

    package func poolBackward(
        _ gradient: Matrix, _ representation: Representation, into dSummaries: Matrix?, pass: Pass
    ) throws(GraftError) {
        guard let kept = representation.kept?.assumingMemoryBound(to: PoolerKept.self).pointee else { return }
        gk_activation_backward(
            pass.team.kernel, Activation.tanh.kernel, Int64(gradient.count), kept.beforeTanh.base, gradient.base,
            gradient.base)
        try pooler.backward(gradient, kept.linear, into: dSummaries, pass: pass)
    }
}
