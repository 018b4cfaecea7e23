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
    /// - Parameters:
    ///   - words: the site of that table.
    ///   - transform: what stands before the vocabulary, where other heads read it, too.
    ///   - hasBias: whether the logits have one.
    mutating func maskedHead(
        _ conventions: Conventions, _ activation: Activation, epsilon: Float, _ shape: ModelShape, words: Int,
        behind transform: (dense: Linear, norm: LayerNorm)? = nil, bias hasBias: Bool = true
    ) throws(GraftError) -> (head: MaskedHead?, vocabulary: VocabularySites) {
        guard try headClass == nil, let names = conventions.maskedHead,
            folder.entry(names.dense + ".weight") != nil
        else { return (nil, VocabularySites(words: words)) }
        let (depth, table) = (shape.headDepth, sites[words])
        let dense: Linear
        let norm: LayerNorm
        if let transform {
            (dense, norm) = (transform.dense.repeated(0, unit: .chosen), transform.norm.with(unit: .chosen))
        } else {
            dense = try linear(
                [names.dense], inputs: shape.hiddenSize, outputs: [table.outputs], depth: depth, unit: .chosen,
                place: .beside)
            norm = try layerNorm(
                names.norm, width: table.outputs, epsilon: epsilon, depth: depth, unit: .chosen, place: .beside)
        }
        func head(
            readsTable: Bool = false, _ decoder: @escaping @Sendable () throws(GraftError) -> Linear
        ) -> MaskedHead {
            MaskedHead(
                dense: dense, names.activation ?? activation, norm: norm, width: table.outputs, readsTable: readsTable,
                decoder: decoder)
        }
        guard let module = names.decoder else {
            let stored = table.storedWeight ?? prefix + table.path + ".weight"
            let make = try decoder(names, of: nil, storedAs: stored, isTied: true, table, depth: depth)
            return (head(readsTable: true, make), VocabularySites(words: words))
        }
        let ties = try folder.config.optionalBool("tie_word_embeddings") ?? true
        let tables = try VocabularyTables(folder, words: prefix + table.path, head: module, areTied: ties)
        let make = try decoder(
            names, of: module, storedAs: (tables.head ?? module) + ".weight", isTied: tables.areOne, table,
            bias: hasBias, depth: depth)
        return (head(make), VocabularySites(words: words, head: sites.count - 1, areTied: tables.areOne))
    }

    /// What makes E and c, once they are wanted; the site of their module, where there is one, is
    /// there at once.
    private mutating func decoder(
        _ names: MaskedHeadNames, of module: String?, storedAs stored: String, isTied: Bool, _ table: Site,
        bias hasBias: Bool = true, depth: Int
    ) throws(GraftError) -> @Sendable () throws(GraftError) -> Linear {
        let (count, width, precision) = (table.inputs, table.outputs, precision)
        let rows = try folder.requireRows(stored, shape: [count, width])
        let biasName = names.biases.first { folder.entry($0) != nil } ?? names.biases[0]
        let bias = hasBias ? try Memory(byteCount: count * 4) : nil
        if let bias {
            try read(biasName, count: count, into: bias.floats())
            add(bias, count: count)
        }
        if !isTied { add(rows, count: count * width) }
        var parts: [Linear.Part] = []
        if let module {
            parts.append(Linear.Part(site: sites.count, firstOutput: 0, outputs: count))
            add(
                Site(
                    path: module, kind: .linear, place: .beside, inputs: width, outputs: count, depth: depth,
                    precision: precision, storedWeight: stored, storedBias: hasBias ? biasName : nil,
                    copyWeight: { rows.copy(count: count * width, into: $0) }, copyBias: nil))
        }
        return { [parts] () throws(GraftError) in
            let weight = try PackedWeight(outputs: count, inputs: width, precision: precision)
            weight.pack(
                firstRow: 0, rowCount: count, rows: rows.start, type: rows.type, team: try Team(threadCount: 1))
            return Linear(weight: weight, bias: bias, parts: parts, unit: .chosen)
        }
    }
}
