import GraftFormats
import GraftLayers
import GraftTensor

extension WeightReader {
    /// The head of a checkpoint of the masked language class, and the places of the vocabulary; no
    /// head in a bare model, and in one of another class.
    ///
    /// The matrix of the logits is the table of the embeddings, unless the checkpoint has another
    /// one or config.json does not tie them.
    ///
    /// - Parameter words: the site of that table.
    mutating func maskedHead(
        _ conventions: Conventions, _ activation: Activation, epsilon: Float, _ shape: ModelShape, words: Int
    ) throws(GraftError) -> (head: MaskedHead?, vocabulary: VocabularySites) {
        guard try headClass == nil, let names = conventions.maskedHead,
            folder.entry(names.dense + ".weight") != nil
        else { return (nil, VocabularySites(words: words)) }
        let (depth, table) = (shape.headDepth, sites[words])
        let dense = try linear(
            [names.dense], inputs: shape.hiddenSize, outputs: [table.outputs], depth: depth, unit: .chosen,
            place: .beside)
        let norm = try layerNorm(
            names.norm, width: table.outputs, epsilon: epsilon, depth: depth, unit: .chosen, place: .beside)
        let ties = try folder.config.optionalBool("tie_word_embeddings") ?? true
        let tables = try VocabularyTables(folder, words: prefix + table.path, head: names.decoder, areTied: ties)
        let make = try decoder(
            names, storedAs: (tables.head ?? names.decoder) + ".weight", isTied: tables.areOne, table, depth: depth)
        let head = MaskedHead(
            dense: dense, names.activation ?? activation, norm: norm, width: table.outputs, decoder: make)
        return (head, VocabularySites(words: words, head: sites.count - 1, areTied: tables.areOne))
    }

    /// What makes E and c, once they are wanted; their site is there at once.
    private mutating func decoder(
        _ names: MaskedHeadNames, storedAs stored: String, isTied: Bool, _ table: Site, depth: Int
    ) throws(GraftError) -> @Sendable () throws(GraftError) -> Linear {
        let (count, width, precision) = (table.inputs, table.outputs, precision)
        let rows = try folder.requireRows(stored, shape: [count, width])
        let biasName = names.biases.first { folder.entry($0) != nil } ?? names.biases[0]
        let bias = try Memory(byteCount: count * 4)
        try read(biasName, count: count, into: bias.floats())
        add(bias, count: count)
        if !isTied { add(rows, count: count * width) }
        let part = Linear.Part(site: sites.count, firstOutput: 0, outputs: count)
        add(
            Site(
                path: names.decoder, kind: .linear, place: .beside, inputs: width, outputs: count, depth: depth,
                precision: precision, storedWeight: stored, storedBias: biasName,
                copyWeight: { rows.copy(count: count * width, into: $0) }, copyBias: nil))
        return { () throws(GraftError) in
            let weight = try PackedWeight(outputs: count, inputs: width, precision: precision)
            weight.pack(
                firstRow: 0, rowCount: count, rows: rows.start, type: rows.type, team: try Team(threadCount: 1))
            return Linear(weight: weight, bias: bias, parts: [part], unit: .chosen)
        }
    }
}
