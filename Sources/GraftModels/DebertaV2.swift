import GraftFormats
import GraftLayers
import GraftTensor

/// DeBERTa 2 and 3 (He et al. 2021, 2023): BERT's formula, where scores of attention have parts for
/// distances, and positions are nowhere else, or in the embeddings as well.
///
///     h = dropout(LayerNorm(word[t]))
///     a = LayerNorm(h + dropout(W_o attention(W_q h, W_k h, W_v h; distances)))
///     h = LayerNorm(a + dropout(W_2 gelu(W_1 a)))            for each layer
///     pooled = gelu(W_p h[first token])                      in classes of rows
enum DebertaV2: Architecture {
    static let conventions = Conventions(
        architecture: "deberta-v2", backbone: "deberta", headPath: "classifier", headHasBias: true,
        headTransformPaths: ["pooler.dense"], tokensReadTransform: false, headActivation: .gelu,
        choiceHeadPath: "classifier", maskedHead: Bert.conventions.maskedHead, summaryToken: .first,
        defaultTargets: [
            "lora": ["query_proj", "value_proj"], "ia3": ["key_proj", "value_proj", "output.dense"],
            "adalora": ["query_proj", "key_proj", "value_proj", "dense"],
        ],
        feedForwardModules: ["output.dense"], className: "DebertaV2")

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try DebertaV2Configuration(folder.config, path: folder.path)
        let bert = configuration.bert
        let width = bert.hiddenSize
        let prefix = conventions.prefix(folder.hasTensors)
        var reader = WeightReader(folder: folder, precision: precision, team: team, prefix: prefix)
        let shape = ModelShape(
            layerCount: bert.layerCount, hiddenSize: width, vocabularySize: bert.vocabularySize,
            typeCount: bert.typeCount, maximumLength: bert.maximumLength, headCount: bert.headCount, keyWidth: width,
            keyHeadCount: bert.headCount)
        let wordSite = reader.sites.count
        let embeddings = InputEmbeddings(
            words: try reader.embedding(
                "embeddings.word_embeddings", rows: bert.vocabularySize, width: width, frozenRow: bert.paddingRow),
            positions: try configuration.hasPositions
                ? reader.embedding("embeddings.position_embeddings", rows: bert.positionCount, width: width) : nil,
            types: try bert.typeCount == 0
                ? nil : reader.embedding("embeddings.token_type_embeddings", rows: bert.typeCount, width: width),
            norm: try reader.layerNorm("embeddings.LayerNorm", width: width, epsilon: bert.epsilon, depth: 0),
            dropout: Dropout(probability: bert.hiddenDropout, site: 0))
        let positions = try positions(configuration, &reader)
        var layers: [[Sublayer]] = []
        for index in 0..<bert.layerCount {
            layers.append([
                try attention(index, configuration, positions, &reader), try feedForward(index, bert, &reader),
            ])
        }
        let pooler = try pooler(configuration, shape, &reader)
        let baseHead = try reader.classifier(conventions, labels: bert.labels, shape)
        let masked = try reader.maskedHead(conventions, bert.activation, epsilon: bert.epsilon, shape, words: wordSite)
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers), pooler: pooler,
            baseHead: baseHead, problem: bert.problem,
            missingForClassification: pooler == nil ? conventions.headTransformPaths : [], maskedHead: masked.head,
            vocabulary: masked.vocabulary, headDropout: bert.headDropout, tokenHeadDropout: bert.tokenHeadDropout,
            initializerRange: bert.initializerRange, sites: reader.sites, source: reader.source(shape))
    }

    private static func positions(
        _ configuration: DebertaV2Configuration, _ reader: inout WeightReader
    ) throws(GraftError) -> RelativePositions {
        let bert = configuration.bert
        let (rows, width) = (2 * configuration.span, bert.hiddenSize)
        let table = try reader.table("encoder.rel_embeddings", rows: rows, width: width)
        if configuration.normsTable {
            try reader.norm("encoder.LayerNorm", table, rows: rows, width: width, epsilon: bert.epsilon)
        }
        return RelativePositions(
            table: table, width: width, span: configuration.span, bucketCount: configuration.bucketCount,
            maximumPosition: configuration.maximumPosition, reach: 2 * bert.maximumLength)
    }

    /// What heads of rows read; nil where the checkpoint is of the backbone alone.
    private static func pooler(
        _ configuration: DebertaV2Configuration, _ shape: ModelShape, _ reader: inout WeightReader
    ) throws(GraftError) -> Pooler? {
        guard let path = conventions.headTransformPaths.first, reader.folder.entry(path + ".weight") != nil else {
            return nil
        }
        let width = shape.hiddenSize
        let dense = try reader.linear(
            [path], inputs: width, outputs: [width], depth: shape.poolerDepth, unit: .rows, place: .beside)
        return Pooler(dense, configuration.poolerActivation)
    }

    private static func attention(
        _ index: Int, _ configuration: DebertaV2Configuration, _ positions: RelativePositions,
        _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let bert = configuration.bert
        let path = "encoder.layer.\(index).attention."
        let (width, depth) = (bert.hiddenSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: bert.layerCount)
        let firstSite = reader.sites.count
        func module(_ name: String, _ unit: Pass.Unit, _ reader: inout WeightReader) throws(GraftError) -> Linear {
            try reader.linear([path + name], inputs: width, outputs: [width], depth: depth, unit: unit)
        }
        let query = try module("self.query_proj", unit, &reader)
        let key = try module("self.key_proj", .tokens, &reader)
        let value = try module("self.value_proj", .tokens, &reader)
        var (positionKey, positionQuery): (Linear?, Linear?) = (nil, nil)
        if configuration.readsKeys {
            positionKey = try configuration.sharesProjections ? key : module("self.pos_key_proj", .tokens, &reader)
        }
        if configuration.readsQueries {
            positionQuery =
                try configuration.sharesProjections ? query : module("self.pos_query_proj", .tokens, &reader)
        }
        let mixer = DisentangledAttention(
            query: query, key: key, value: value, positionKey: positionKey, positionQuery: positionQuery,
            positions: positions, output: try module("output.dense", unit, &reader), headCount: bert.headCount,
            layer: index, unit: unit, width: width, dropoutProbability: bert.attentionDropout,
            dropoutSite: dropoutSite(index, 0),
            positionDropout: Dropout(
                probability: bert.hiddenDropout, site: dropoutSite(bert.layerCount, index), unit: .distances))
        return try reader.sublayer(
            .attention, path + "output", mixer, firstSite: firstSite, index, number: 1, bert, unit: unit)
    }

    private static func feedForward(
        _ index: Int, _ bert: BertConfiguration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer {
        let path = "encoder.layer.\(index)."
        let (width, innerSize, depth) = (bert.hiddenSize, bert.intermediateSize, index + 1)
        let unit = Pass.Unit.ofLayer(index, of: bert.layerCount)
        let firstSite = reader.sites.count
        let mixer = FeedForward(
            up: try reader.linear(
                [path + "intermediate.dense"], inputs: width, outputs: [innerSize], depth: depth, unit: unit),
            down: try reader.linear(
                [path + "output.dense"], inputs: innerSize, outputs: [width], depth: depth, unit: unit),
            activation: bert.activation, innerSize: innerSize)
        return try reader.sublayer(
            .feedForward, path + "output", mixer, firstSite: firstSite, index, number: 2, bert, unit: unit)
    }
}

extension WeightReader {
    /// A mixer with a norm after the sum, under BERT's names.
    fileprivate mutating func sublayer(
        _ kind: Site.Sublayer, _ path: String, _ mixer: any Mixer, firstSite: Int, _ index: Int, number: Int,
        _ bert: BertConfiguration, unit: Pass.Unit
    ) throws(GraftError) -> Sublayer {
        let innerSites = firstSite..<sites.count
        let branch = branch(path, after: kind, width: bert.hiddenSize, depth: index + 1, unit: unit)
        let norm = try layerNorm(
            path + ".LayerNorm", width: bert.hiddenSize, epsilon: bert.epsilon, depth: index + 1, unit: unit)
        return Sublayer(
            norm: .afterSum(norm), mixer: mixer, branch: branch, unit: unit, width: bert.hiddenSize,
            dropout: Dropout(
                probability: bert.hiddenDropout, site: DebertaV2.dropoutSite(index, number), unit: unit),
            innerSites: innerSites, sites: firstSite..<sites.count)
    }

    /// A table that is no site.
    fileprivate mutating func table(_ path: String, rows: Int, width: Int) throws(GraftError) -> Memory {
        let stored = try folder.requireRows(prefix + path + ".weight", shape: [rows, width])
        let table = try Memory(byteCount: rows * width * 4)
        stored.copy(count: rows * width, into: table.floats())
        add(table, count: rows * width)
        return table
    }

    /// Norms the rows of a table, by a norm that is no site.
    fileprivate mutating func norm(
        _ path: String, _ table: Memory, rows: Int, width: Int, epsilon: Float
    ) throws(GraftError) {
        let (scale, bias) = (try Memory(byteCount: width * 4), try Memory(byteCount: width * 4))
        try read(prefix + path + ".weight", count: width, into: scale.floats())
        try read(prefix + path + ".bias", count: width, into: bias.floats())
        add(scale, count: width)
        add(bias, count: width)
        for row in 0..<rows {
            let numbers = table.floats(from: row * width)
            let mean = (0..<width).reduce(0.0) { $0 + Double(numbers[$1]) } / Double(width)
            let variance = (0..<width).reduce(0.0) { $0 + (Double(numbers[$1]) - mean) * (Double(numbers[$1]) - mean) }
            let inverse = 1 / (variance / Double(width) + Double(epsilon)).squareRoot()
            for column in 0..<width {
                let normed = (Double(numbers[column]) - mean) * inverse * Double(scale.floats()[column])
                numbers[column] = Float(normed + Double(bias.floats()[column]))
            }
        }
    }
}
