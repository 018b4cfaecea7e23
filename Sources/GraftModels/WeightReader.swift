import GraftFormats
import GraftLayers
import GraftTensor

/// Builds layers from a checkpoint's tensors under their Hugging Face names, and numbers the sites
/// they make.
///
/// Each tensor is checked against the shape that config.json implies, packed, and its pages are
/// given back before the next one is read, so that loading needs little more than the packed
/// weights.
struct WeightReader {
    let folder: any TensorSource
    let precision: Precision
    private let team: Team
    /// Before every name in the checkpoint: "bert." in a checkpoint of a task class.
    let prefix: String
    private(set) var sites: [Site] = []
    private(set) var parameterCount = 0
    private(set) var packed: ModelSource.Weights = []

    init(folder: any TensorSource, precision: Precision, team: Team, prefix: String) {
        self.folder = folder
        self.precision = precision
        self.team = team
        self.prefix = prefix
    }

    func has(_ path: String) -> Bool { folder.entry(prefix + path) != nil }

    /// A module of its own, or several that read the same input as one product. Missing tensors are
    /// errors.
    ///
    /// - Parameters:
    ///   - isTransposed: whether the checkpoint has the weight as [inputs, outputs].
    ///   - stored: what the checkpoint calls the module of the weight, where that is another.
    ///   - isTied: whether that is the embedding, whose weight is the module's too.
    mutating func linear(
        _ paths: [String], inputs: Int, outputs: [Int], bias hasBias: Bool = true, isTransposed: Bool = false,
        depth: Int, unit: Pass.Unit = .tokens, place: Site.Place = .backbone,
        storedAs stored: String? = nil, isTied: Bool = false
    ) throws(GraftError) -> Linear {
        let names = paths.map { (place == .backbone ? prefix : "") + $0 }
        // Before memory for what config.json says, which may be absurd.
        var tensors: [(name: String, rows: TensorRows)] = []
        for (name, count) in zip(names, outputs) {
            let stored = (stored ?? name) + ".weight"
            let shape = isTransposed ? [inputs, count] : [count, inputs]
            tensors.append((stored, try folder.requireRows(stored, shape: shape)))
        }
        let total = outputs.reduce(0, +)
        let weight = try PackedWeight(outputs: total, inputs: inputs, precision: precision)
        let bias = hasBias ? try Memory(byteCount: total * 4) : nil
        var parts: [Linear.Part] = []
        var first = 0
        for ((path, count), (name, tensor)) in zip(zip(paths, outputs), zip(names, tensors)) {
            if isTransposed {
                weight.pack(
                    firstRow: first, rowCount: count, rows: tensor.rows.start, type: tensor.rows.type,
                    isTransposed: true, team: team)
                tensor.rows.release()
            } else {
                tensor.rows.eachPart(of: count) { row, count, start in
                    weight.pack(firstRow: first + row, rowCount: count, rows: start, type: tensor.rows.type, team: team)
                }
            }
            if let bias { try read(name + ".bias", count: count, into: bias.floats(from: first)) }
            parameterCount += (isTied ? 0 : count * inputs) + (hasBias ? count : 0)
            parts.append(
                Linear.Part(site: sites.count, firstOutput: first, outputs: count, isTransposed: isTransposed))
            let firstRow = first
            var copyBias: Site.Copy?
            if let bias { copyBias = { $0.update(from: bias.floats(from: firstRow), count: count) } }
            sites.append(
                Site(
                    path: path, kind: .linear, place: place, inputs: inputs, outputs: count, isTransposed: isTransposed,
                    depth: depth, precision: precision, storedWeight: tensor.name, storedBias: name + ".bias",
                    copyWeight: { weight.unpack(firstRow: firstRow, rowCount: count, into: $0) }, copyBias: copyBias))
            first += count
        }
        packed.append((weight.bytes, weight))
        if let bias { hold(bias, count: total) }
        return Linear(weight: weight, bias: bias, parts: parts, unit: unit)
    }

    /// Of which class with a dense head the checkpoint is.
    var headClass: HeadClass? {
        get throws(GraftError) {
            guard let name = try folder.config.optionalStrings("architectures")?.first else { return nil }
            return HeadClass.allCases.first { name.hasSuffix($0.rawValue) }
        }
    }

    /// The head of such a checkpoint with its labels, one for each of its rows.
    mutating func classifier(
        _ conventions: Conventions, labels: [String], _ shape: ModelShape
    ) throws(GraftError) -> BaseHead? {
        guard let kind = try headClass else { return nil }
        let path = conventions.headPath(kind)
        guard let weight = folder.entry(path + ".weight"), weight.shape.count == 2, let count = weight.shape.first,
            count > 0
        else { return nil }
        // Whatever the labels of config.json are, which some classes do not read.
        let labels = kind.outputNames ?? labels
        guard count == labels.count else {
            throw GraftError(
                .incompatible,
                "\(folder.path(of: weight)): tensor \"\(weight.name)\" has \(count) rows; by id2label or num_labels of config.json "
                    + "there are \(labels.count) classes")
        }
        let linear = try linear(
            [path], inputs: shape.hiddenSize, outputs: [count], bias: kind.unit == .tokens || conventions.headHasBias,
            depth: shape.headDepth, unit: kind.unit == .rows ? .rows : .tokens, place: .beside)
        return BaseHead(linear: linear, labels: labels, kind: kind)
    }

    /// The dense layer that the head of such a checkpoint has before its logits; nil where it has
    /// none.
    mutating func headDense(_ conventions: Conventions, _ shape: ModelShape) throws(GraftError) -> Linear? {
        guard let kind = try headClass, let path = conventions.headDensePath(kind),
            folder.entry(path + ".weight") != nil
        else { return nil }
        return try linear(
            [path], inputs: shape.hiddenSize, outputs: [shape.hiddenSize], depth: shape.poolerDepth, unit: .rows,
            place: .beside)
    }

    /// The head of a checkpoint that both reads and writes rows, which it reads twice for it.
    mutating func sourceHead(
        _ conventions: Conventions, labels: [String], _ shape: ModelShape
    ) throws(GraftError) -> (pooler: Pooler?, base: BaseHead?) {
        guard let kind = try headClass, HeadClass.ofDecoders.contains(kind) else { return (nil, nil) }
        let dense = try headDense(conventions, shape)
        return (
            dense.map { Pooler($0, conventions.headActivation) },
            try classifier(conventions, labels: labels, shape)
        )
    }

    /// The matrix of the logits; nil in a bare model and in a classifier.
    ///
    /// - Parameter bias: what is added to the logits and is no module's, as the checkpoint calls
    ///   it: [1, vocabulary], or nothing where the checkpoint lacks it.
    mutating func languageHead(
        _ shape: ModelShape, _ tables: VocabularyTables, bias: String? = nil
    ) throws(GraftError) -> Linear? {
        guard try headClass == nil, let head = tables.head else { return nil }
        let linear = try linear(
            [VocabularyTables.head], inputs: shape.hiddenSize, outputs: [shape.vocabularySize], bias: false,
            depth: shape.headDepth, unit: .chosen, place: .beside, storedAs: head, isTied: tables.areOne)
        guard let bias, folder.entry(bias) != nil else { return linear }
        let count = shape.vocabularySize
        let numbers = try Memory(byteCount: count * 4)
        try folder.requireRows(bias, shape: [1, count]).copy(count: count, into: numbers.floats())
        hold(numbers, count: count)
        return Linear(weight: linear.weight, bias: numbers, parts: linear.parts, unit: .chosen)
    }

    /// What was read.
    func source(_ shape: ModelShape) -> ModelSource {
        ModelSource(
            path: folder.path, parameterCount: parameterCount, precision: precision, weights: packed,
            sentences: SentenceModules.declaration(of: folder, hiddenSize: shape.hiddenSize))
    }

    /// A module that the checkpoint lacks: its site exists, for an adapter to put its own weights
    /// there.
    mutating func missingLinear(
        _ path: String, inputs: Int, outputs: Int, bias hasBias: Bool = true, depth: Int, unit: Pass.Unit,
        place: Site.Place = .backbone
    ) throws(GraftError) -> Linear {
        let name = (place == .backbone ? prefix : "") + path
        let weight = try PackedWeight(outputs: outputs, inputs: inputs, precision: precision)
        let part = Linear.Part(site: sites.count, firstOutput: 0, outputs: outputs)
        let bias = hasBias ? try Memory(byteCount: outputs * 4) : nil
        let copyBias: Site.Copy = { $0.update(repeating: 0, count: outputs) }
        sites.append(
            Site(
                path: path, kind: .linear, place: place, isAbsent: true, inputs: inputs, outputs: outputs, depth: depth,
                storedWeight: name + ".weight", storedBias: hasBias ? name + ".bias" : nil,
                copyWeight: { $0.update(repeating: 0, count: outputs * inputs) }, copyBias: hasBias ? copyBias : nil))
        return Linear(weight: weight, bias: bias, parts: [part], unit: unit)
    }

    /// The same of a norm, which begins as the identity.
    mutating func missingNorm(
        _ path: String, width: Int, epsilon: Float, bias hasBias: Bool, depth: Int, unit: Pass.Unit
    ) throws(GraftError) -> LayerNorm {
        let (scale, bias) = (try Memory(byteCount: width * 4), try Memory(byteCount: width * 4))
        scale.floats().update(repeating: 1, count: width)
        let copyBias: Site.Copy = { $0.update(repeating: 0, count: width) }
        sites.append(
            Site(
                path: path, kind: .norm, place: .beside, isAbsent: true, inputs: width, outputs: width, depth: depth,
                storedWeight: path + ".weight", storedBias: hasBias ? path + ".bias" : nil,
                copyWeight: { $0.update(repeating: 1, count: width) }, copyBias: hasBias ? copyBias : nil))
        return LayerNorm(scale: scale, bias: bias, width: width, epsilon: epsilon, site: sites.count - 1, unit: unit)
    }

    /// What attention is given, from modules `paths` of query, key and value. In a model's last
    /// layer the tokens of `unit` `.read` ask.
    mutating func queryKeyValue(
        _ paths: [String], inputs: Int, queryWidth: Int, keyWidth: Int, bias: Bool = true, depth: Int, unit: Pass.Unit
    ) throws(GraftError) -> QueryKeyValue {
        guard unit != .tokens else {
            let outputs = [queryWidth, keyWidth, keyWidth]
            let all = try linear(paths, inputs: inputs, outputs: outputs, bias: bias, depth: depth)
            return QueryKeyValue(together: all, queryWidth: queryWidth, keyWidth: keyWidth)
        }
        return QueryKeyValue(
            query: try linear(
                Array(paths.prefix(1)), inputs: inputs, outputs: [queryWidth], bias: bias, depth: depth, unit: unit),
            keyValue: try linear(
                Array(paths.dropFirst()), inputs: inputs, outputs: [keyWidth, keyWidth], bias: bias, depth: depth),
            unit: unit, queryWidth: queryWidth, keyWidth: keyWidth)
    }

    /// Scale and bias, also under the names of old checkpoints (gamma, beta).
    mutating func layerNorm(
        _ path: String, width: Int, epsilon: Float, bias hasBias: Bool = true, depth: Int,
        unit: Pass.Unit = .tokens, place: Site.Place = .backbone
    ) throws(GraftError) -> LayerNorm {
        let name = (place == .backbone ? prefix : "") + path
        let isOld = folder.entry(name + ".weight") == nil && folder.entry(name + ".gamma") != nil
        let storedScale = name + (isOld ? ".gamma" : ".weight")
        let storedBias = name + (isOld ? ".beta" : ".bias")
        let scale = try Memory(byteCount: width * 4)
        let bias = try Memory(byteCount: width * 4)
        try read(storedScale, count: width, into: scale.floats())
        add(scale, count: width)
        var copyBias: Site.Copy?
        if hasBias {
            try read(storedBias, count: width, into: bias.floats())
            add(bias, count: width)
            copyBias = { $0.update(from: bias.floats(), count: width) }
        } else {
            bias.floats().update(repeating: 0, count: width)
            hold(bias, count: width)
        }
        sites.append(
            Site(
                path: path, kind: .norm, place: place, inputs: width, outputs: width, depth: depth,
                storedWeight: storedScale, storedBias: hasBias ? storedBias : nil,
                copyWeight: { $0.update(from: scale.floats(), count: width) },
                copyBias: copyBias))
        return LayerNorm(scale: scale, bias: bias, width: width, epsilon: epsilon, site: sites.count - 1, unit: unit)
    }

    /// The end of a sub-layer, whose module `path` is.
    mutating func branch(
        _ path: String, after sublayer: Site.Sublayer, width: Int, depth: Int, layer: Int? = nil, unit: Pass.Unit
    ) -> Branch {
        sites.append(Site(path: path, hidden: sublayer, width: width, depth: depth, layer: layer))
        return Branch(site: sites.count - 1, unit: unit)
    }

    /// A mixer with norms in its branch. Its sites begin at `firstSite`; `path` is the module that
    /// holds its end.
    mutating func sublayer(
        _ kind: Site.Sublayer, _ path: String, before: Norm?, after: Norm? = nil, mixer: any Mixer, firstSite: Int,
        width: Int, depth: Int, layer: Int? = nil, unit: Pass.Unit, dropout: Dropout? = nil
    ) -> Sublayer {
        let innerSites = firstSite..<sites.count
        let branch = branch(path, after: kind, width: width, depth: depth, layer: layer, unit: unit)
        return Sublayer(
            norm: .inBranch(before: before, after: after), mixer: mixer, branch: branch, unit: unit, width: width,
            dropout: dropout, innerSites: innerSites,
            sites: firstSite..<sites.count)
    }

    /// A scale alone.
    mutating func rmsNorm(
        _ path: String, width: Int, headCount: Int = 1, _ settings: RMSNorm.Settings, depth: Int,
        unit: Pass.Unit = .tokens
    ) throws(GraftError) -> RMSNorm {
        let scale = try Memory(byteCount: width * 4)
        try read(prefix + path + ".weight", count: width, into: scale.floats())
        add(scale, count: width)
        sites.append(
            Site(
                path: path, kind: .norm, inputs: width, outputs: width, depth: depth,
                storedWeight: prefix + path + ".weight",
                copyWeight: { $0.update(from: scale.floats(), count: width) }, copyBias: nil))
        return RMSNorm(
            scale: scale, width: width, headCount: headCount, settings, site: sites.count - 1, unit: unit)
    }

    /// A table that stays where it is stored, and is read row by row.
    ///
    /// - Parameter stored: what the checkpoint calls the table, if not by its own path.
    mutating func embedding(
        _ path: String, rows: Int, width: Int, scale: Float = 1, frozenRow: Int? = nil, storedAs stored: String? = nil
    ) throws(GraftError) -> Embedding {
        let name = (stored ?? prefix + path) + ".weight"
        let table = try folder.requireRows(name, shape: [rows, width])
        add(table, count: rows * width)
        sites.append(
            Site(
                path: path, kind: .embedding, inputs: rows, outputs: width, outputScale: scale, depth: 0,
                frozenRow: frozenRow,
                storedWeight: name, copyWeight: { table.copy(count: rows * width, into: $0) }, copyBias: nil))
        return Embedding(
            table: table.start, type: table.type, rowCount: rows, width: width,
            site: sites.count - 1, frozenRow: frozenRow, owner: table.file,
            release: table.isLarge ? { @Sendable in table.release() } : nil)
    }

    /// What attention adds by distance, from a table [rows, heads]: see `PositionBias`.
    mutating func positionBias(
        _ path: String, rows: Int, headCount: Int, bucketCount: Int, maximumDistance: Int, isCausal: Bool = false
    ) throws(GraftError) -> PositionBias {
        let stored = try folder.requireRows(prefix + path + ".weight", shape: [rows, headCount])
        let table = try Memory(byteCount: rows * headCount * 4)
        stored.copy(count: rows * headCount, into: table.floats())
        add(table, count: rows * headCount)
        return try PositionBias(
            table: Matrix(table.floats(), rows: rows, columns: headCount), bucketCount: bucketCount,
            maximumDistance: maximumDistance, isCausal: isCausal)
    }

    /// A table of sin and cos of the places; or the one that the checkpoint has.
    mutating func sinusoidalPositions(_ path: String, rows: Int, width: Int) throws(GraftError) -> Embedding {
        if has(path + ".weight") { return try embedding(path, rows: rows, width: width) }
        let table = try Embedding.sinusoids(rows: rows, width: width)
        hold(table, count: rows * width)
        sites.append(
            Site(
                path: path, kind: .embedding, inputs: rows, outputs: width, depth: 0,
                copyWeight: { $0.update(from: table.floats(), count: rows * width) }, copyBias: nil))
        return Embedding(table, rowCount: rows, width: width, site: sites.count - 1)
    }

    /// Adds a site of a module that another file of this type reads.
    mutating func add(_ site: Site) { sites.append(site) }

    /// Counts frozen numbers that were read.
    mutating func add(_ numbers: Memory, count: Int) {
        parameterCount += count
        hold(numbers, count: count)
    }

    /// The same of a packed weight.
    mutating func add(_ weight: PackedWeight, count: Int) {
        parameterCount += count
        packed.append((weight.bytes, weight))
    }

    /// The same of a table that stays where it is stored.
    mutating func add(_ table: TensorRows, count: Int) {
        parameterCount += count
        packed.append((table.bytes, table.file.owner))
    }

    /// Numbers of the model that are not parameters, or are counted elsewhere.
    private mutating func hold(_ numbers: Memory, count: Int) {
        packed.append((UnsafeRawBufferPointer(start: numbers.base, count: count * 4), numbers))
    }

    func read(_ name: String, count: Int, into out: UnsafeMutablePointer<Float>) throws(GraftError) {
        try folder.requireRows(name, shape: [count]).copy(count: count, into: out)
    }
}
