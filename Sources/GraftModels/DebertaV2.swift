import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

/// DeBERTa 2 and 3 (He et al. 2021, 2023): BERT's formula, where scores of attention have parts for
/// distances, and positions are nowhere else, or in the embeddings as well.
///
///     h = dropout(LayerNorm(word[t]))
///     a = LayerNorm(h + dropout(W_o attention(W_q h, W_k h, W_v h; distances)))
///     h = LayerNorm(a + dropout(W_2 gelu(W_1 a)))            for each layer
///     h = LayerNorm(h + f(dropout(convolution(h₀))))         after the first, where there is one; h₀ the embeddings
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

    /// What the class has with `legacy` false: a head that multiplies by the embeddings themselves.
    private static let newerHead = MaskedHeadNames(
        dense: "lm_predictions.lm_head.dense", norm: "lm_predictions.lm_head.LayerNorm", decoder: nil,
        biases: ["lm_predictions.lm_head.bias"])

    static func load(_ folder: any TensorSource, precision: Precision, team: Team) throws(GraftError) -> Model {
        let configuration = try DebertaV2Configuration(folder.config, path: folder.path)
        let conventions =
            configuration.hasNewerHead ? Self.conventions.with(maskedHead: newerHead) : Self.conventions
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
            if index == 0, let convolution = try convolution(configuration, &reader) { layers[0].append(convolution) }
        }
        let pooler = try pooler(configuration, shape, &reader)
        let baseHead = try reader.classifier(conventions, labels: bert.labels, shape)
        let masked = try reader.maskedHead(conventions, bert.activation, epsilon: bert.epsilon, shape, words: wordSite)
        return Model(
            conventions, shape: shape, embeddings: embeddings, layers: LayerStack(layers: layers), pooler: pooler.made,
            baseHead: baseHead, problem: bert.problem,
            missingForClassification: pooler.isAbsent ? conventions.headTransformPaths : [], maskedHead: masked.head,
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

    /// What heads of rows read; a checkpoint of the backbone alone lacks it.
    private static func pooler(
        _ configuration: DebertaV2Configuration, _ shape: ModelShape, _ reader: inout WeightReader
    ) throws(GraftError) -> (made: Pooler, isAbsent: Bool) {
        let (path, width, depth) = (conventions.poolerModule + ".dense", shape.hiddenSize, shape.poolerDepth)
        let isAbsent = reader.folder.entry(path + ".weight") == nil
        let dense =
            try isAbsent
            ? reader.missingLinear(path, inputs: width, outputs: width, depth: depth, unit: .rows, place: .beside)
            : reader.linear([path], inputs: width, outputs: [width], depth: depth, unit: .rows, place: .beside)
        return (Pooler(dense, configuration.poolerActivation), isAbsent)
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

    private static func convolution(
        _ configuration: DebertaV2Configuration, _ reader: inout WeightReader
    ) throws(GraftError) -> Sublayer? {
        guard let (reach, activation) = configuration.convolution else { return nil }
        let bert = configuration.bert
        let unit = Pass.Unit.ofLayer(0, of: bert.layerCount)
        let firstSite = reader.sites.count
        let linear = try reader.convolution(
            "encoder.conv.conv", width: bert.hiddenSize, count: 2 * reach + 1, unit: unit)
        let mixer = Convolution(
            linear, activation, reach: reach, width: bert.hiddenSize,
            dropout: Dropout(
                probability: bert.hiddenDropout, site: dropoutSite(bert.layerCount, bert.layerCount), unit: unit),
            unit: unit)
        let innerSites = firstSite..<reader.sites.count
        let norm = try reader.layerNorm(
            "encoder.conv.LayerNorm", width: bert.hiddenSize, epsilon: bert.epsilon, depth: 1, unit: unit)
        return Sublayer(
            norm: .afterSum(norm), mixer: mixer, branch: nil, mixesOrigin: true, unit: unit, width: bert.hiddenSize,
            innerSites: innerSites, sites: firstSite..<reader.sites.count)
    }
}

extension WeightReader {
    /// A convolution over `count` tokens, whose weight the checkpoint has as [outputs, inputs,
    /// count], as one product of all of them: [outputs, count · inputs].
    fileprivate mutating func convolution(
        _ path: String, width: Int, count: Int, unit: Pass.Unit
    ) throws(GraftError) -> Linear {
        let name = prefix + path
        let stored = try folder.requireRows(name + ".weight", shape: [width, width, count])
        let bias = try Memory(byteCount: width * 4)
        try read(name + ".bias", count: width, into: bias.floats())
        let size = width * width * count
        let (numbers, ordered) = (try Memory(byteCount: size * 4), try Memory(byteCount: size * 4))
        stored.copy(count: size, into: numbers.floats())
        for output in 0..<width {
            for input in 0..<width {
                for place in 0..<count {
                    ordered.floats()[(output * count + place) * width + input] =
                        numbers.floats()[(output * width + input) * count + place]
                }
            }
        }
        let weight = try PackedWeight(outputs: width, inputs: count * width, precision: precision)
        weight.pack(
            firstRow: 0, rowCount: width, rows: UnsafeRawPointer(ordered.floats()), type: gk_type(GK_FLOAT32),
            team: try Team(threadCount: 1))
        add(bias, count: width)
        add(weight, count: size)
        let part = Linear.Part(site: sites.count, firstOutput: 0, outputs: width)
        add(
            Site(
                path: path, kind: .convolution, inputs: count * width, outputs: width, depth: 1, precision: precision,
                storedWeight: name + ".weight", storedBias: name + ".bias",
                copyWeight: { stored.copy(count: size, into: $0) },
                copyBias: { $0.update(from: bias.floats(), count: width) }))
        return Linear(weight: weight, bias: bias, parts: [part], unit: unit)
    }

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
