import GraftFormats
import GraftLayers
import GraftTensor

/// Llama (Touvron et al. 2023): a decoder with norms before each sub-layer, rotary positions and grouped queries.
///
///     h = E[t]
///     h = layer(h)                 for each layer
///     h = RMSNorm(h)
///     logits = W h                 W is E where config.json ties them
package final class Llama: Transformer, @unchecked Sendable {
    package let architecture = "llama"
    package let backbone = "model"
    package let headPath = "score"
    package let summaryToken: SummaryToken
    package let headHasBias = false
    package let shape: ModelShape
    package let sites: [Site]
    package let source: ModelSource
    package let baseHead: (linear: Linear, labels: [String])?
    package let problem: ProblemType?
    package let vocabulary: VocabularySites
    package let languageHead: Linear?
    package let endTokens: [Int32]
    package let missingForClassification: [String] = []
    package let headDropout: Float = 0
    package let initializerRange: Float

    private let words: Embedding
    private let layers: LayerStack<LlamaLayer>
    private let finalNorm: RMSNorm

    private struct Kept: BitwiseCopyable {
        let words: Embedding.Kept
        let norm: RMSNorm.Kept?
        let layers: LayerStack<LlamaLayer>.Kept
    }

    package init(folder: ModelFolder, precision: Precision, team: Team) throws(GraftError) {
        let configuration = try LlamaConfiguration(folder.config, path: folder.path)
        let hidden = configuration.hiddenSize
        let prefix = folder.hasTensors(below: "model.") ? "model." : ""
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        shape = ModelShape(
            layerCount: configuration.layerCount, hiddenSize: hidden, vocabularySize: configuration.vocabularySize,
            typeCount: 0, maximumLength: configuration.maximumLength,
            keyWidth: configuration.keyValueHeadCount * configuration.headWidth)
        let tables = Tables(folder, prefix: prefix, ties: configuration.tiesEmbeddings)
        let wordSite = reader.sites.count
        let words = try reader.embedding(
            "embed_tokens", rows: configuration.vocabularySize, width: hidden, frozenRow: configuration.paddingRow,
            storedAs: tables.words)
        let rotary = try Rotary(
            headWidth: configuration.headWidth, base: configuration.rotaryBase, scaling: configuration.rotaryScaling)
        var layers: [LlamaLayer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try LlamaLayer(index: index, configuration, rotary: rotary, &reader))
        }
        self.layers = LayerStack(layers: layers)
        finalNorm = try reader.rmsNorm(
            "norm", width: hidden, epsilon: configuration.epsilon, depth: configuration.layerCount, unit: .read)
        baseHead = try reader.classifier("score", bias: false, labels: configuration.labels, shape)
        problem = configuration.problem
        summaryToken = configuration.paddingToken.map { .lastExcept($0) } ?? .last
        let languageHead = try reader.isClassifier ? nil : try Self.languageHead(&reader, configuration, tables, shape)
        self.languageHead = languageHead
        vocabulary = VocabularySites(
            words: wordSite, head: languageHead?.parts.first?.site, areTied: languageHead != nil && tables.areOne)
        self.words = languageHead.map { tables.areOne ? words.tied(to: $0.weight) : words } ?? words
        endTokens = try Self.endTokens(folder, configuration)
        initializerRange = configuration.initializerRange
        sites = reader.sites
        source = ModelSource(
            path: folder.path, parameterCount: reader.parameterCount, precision: precision, weights: reader.packed,
            sentences: SentenceModules.declaration(of: folder, hiddenSize: shape.hiddenSize))
    }

    /// Where the checkpoint has the table of the embeddings and the matrix of the logits. A checkpoint that ties them may hold
    /// either; where it holds both and they differ, each is its own, as in transformers 5.
    private struct Tables {
        let words: String
        /// nil in a bare LlamaModel.
        let head: String?

        init(_ folder: ModelFolder, prefix: String, ties: Bool) {
            let own = prefix + "embed_tokens"
            let table = folder.tensor(own + ".weight")
            let matrix = folder.tensor("lm_head.weight")
            words = ties && table == nil && matrix != nil ? "lm_head" : own
            let isOwn = matrix.map { !ties || table == nil || !$0.holdsTheSame(as: table) } ?? false
            head = isOwn ? "lm_head" : ties ? own : nil
        }

        var areOne: Bool { words == head }
    }

    private static func languageHead(
        _ reader: inout WeightReader, _ configuration: LlamaConfiguration, _ tables: Tables, _ shape: ModelShape
    ) throws(GraftError) -> Linear? {
        guard let head = tables.head else { return nil }
        return try reader.linear(
            ["lm_head"], inputs: configuration.hiddenSize, outputs: [configuration.vocabularySize], bias: false,
            depth: shape.headDepth, unit: .chosen, place: .beside, tiedTo: tables.areOne ? head : nil)
    }

    /// generation_config.json goes before config.json, as in transformers' `generate`.
    private static func endTokens(
        _ folder: ModelFolder, _ configuration: LlamaConfiguration
    ) throws(GraftError) -> [Int32] {
        do throws(GraftError) {
            let generation = try JSON(contentsOf: folder.path + "/generation_config.json")
            return try LlamaConfiguration.endTokens(generation) ?? configuration.endTokens
        } catch  where error.code == .notFound {
            return configuration.endTokens
        }
    }

    package func forward(_ pass: Pass) throws(GraftError) -> HiddenStates {
        let width = shape.hiddenSize
        let keepsAny = pass.keptDepth <= shape.layerCount
        let embedded = try pass.arena(keeping: keepsAny).matrix(rows: pass.tokenCount, columns: width)
        let wordsKept = try words.forward(
            pass.tokens, into: embedded, accumulate: false, keeps: pass.keeps(atDepth: 0), pass: pass)
        let (x, layersKept) = try layers.forward(embedded, pass: pass)
        let normed = try pass.arena(keeping: keepsAny).matrix(rows: x.rows, columns: width)
        let norm = try finalNorm.forward(x, into: normed, keeps: keepsAny, pass: pass)
        // As transformers counts them, the last hidden states are normed.
        try pass.finishLayer(shape.layerCount, hidden: normed)
        let kept = try pass.kept.allocate(Kept.self, count: 1)
        kept.initialize(to: Kept(words: wordsKept, norm: norm, layers: layersKept))
        return HiddenStates(matrix: normed, kept: UnsafeMutableRawPointer(kept))
    }

    package func backward(_ gradient: Matrix, _ hidden: HiddenStates, pass: Pass) throws(GraftError) {
        guard let kept = hidden.kept?.assumingMemoryBound(to: Kept.self).pointee, let norm = kept.norm else { return }
        finalNorm.backward(gradient, norm, into: gradient, pass: pass)
        guard let gradient = try layers.backward(gradient, kept.layers, pass: pass) else { return }
        try words.backward(gradient, kept.words, pass: pass)
    }
}
