import GraftFormats
import GraftLayers
import GraftTensor

extension AdapterPlan {
    /// `modules_to_save` and the head: full copies that take the place of the model's modules.
    ///
    /// By PEFT's rule a name saves every module whose path ends in it, with all below it. With
    /// `ensure_weight_tying`, the tables of a vocabulary that the model ties are one copy.
    mutating func addSavedModules(
        _ config: JSONObject, head settings: HeadSettings?, of task: Task?, names: ModuleNames, place: String
    ) throws(GraftError) {
        let model = names.model
        if let settings { head = try addHead(settings, of: task?.headClass ?? .rows, names) }
        let saved = try config.optionalStrings("modules_to_save") ?? []
        let heads = model.conventions.headPaths
        for name in saved
        where !PeftLayout.allHeadNames.contains(name) && !heads.contains(where: { Self.covers(name, $0) })
            && !Self.exists(name, names)
        {
            throw GraftError(
                .notFound, "\(place): modules_to_save \"\(name)\" matches no module of this \(model.architecture) model"
            )
        }
        let tied = try config.optionalBool("ensure_weight_tying") ?? false ? model.vocabulary.tiedHead : nil
        for (index, site) in names.sites.enumerated()
        where site.kind.hasWeights && names.has(site) && index != tied {
            let path = names.path(of: site)
            let twin = index == model.vocabulary.words ? tied : nil
            let twinPath = twin.map { names.path(of: names.sites[$0]) }
            guard saved.contains(where: { Self.covers($0, path) || Self.covers($0, twinPath ?? path) }) else {
                continue
            }
            if model.conventions.isHead(site), head != nil || model.conventions.headPaths.contains(site.path) {
                continue
            }
            guard site.kind != .convolution else {
                throw GraftError(
                    .unsupported,
                    "\(place): modules_to_save holds the convolution \(path), of which adapters have the bias alone")
            }
            let isFresh = site.isAbsent && site.kind == .linear
            let weight = try add(
                names.tensor(path, "weight"), shape: site.weightShape,
                isFresh ? .normal(deviation: model.initializerRange) : .copy(site.copyStoredWeight),
                secondName: twinPath.map { names.tensor($0, "weight") })
            if let twin { replace(at: twin, weight: weight) }
            var bias: Parameter?
            if let copy = site.copyBias {
                bias = try add(
                    names.tensor(path, "bias"), shape: [site.outputs], isFresh ? .zero : .copy(copy))
            }
            replace(at: index, weight: weight, bias: bias)
        }
        guard let head, head.readsPooler else { return }
        for path in model.missingForClassification {
            let isSaved = model.sites.enumerated().contains { $1.path == path && sites[$0]?.weight != nil }
            guard isSaved else {
                throw GraftError(
                    .incompatible,
                    "the model at \(model.source.path) has no \(path), which classification needs: give the head a "
                        + "dense layer of its own (\"dense_layer\": true)")
            }
        }
    }

    private static func exists(_ name: String, _ names: ModuleNames) -> Bool {
        names.sites.contains { $0.kind.hasWeights && names.has($0) && covers(name, names.path(of: $0)) }
    }

    /// Whether the path or a module above it ends in the name.
    static func covers(_ name: String, _ path: String) -> Bool {
        guard !name.isEmpty else { return false }
        var end = path.endIndex
        while true {
            if path[..<end].hasSuffix(name) { return true }
            guard let dot = path[..<end].lastIndex(of: ".") else { return false }
            end = dot
        }
    }

    private mutating func addHead(
        _ settings: HeadSettings, of kind: HeadClass, _ names: ModuleNames
    ) throws(GraftError) -> HeadParameters {
        if let pooling = settings.pooling { return try PooledHead.plan(&self, settings, pooling, names) }
        let model = names.model
        let count = settings.labels.count
        let width = model.shape.hiddenSize
        let path = model.conventions.headPath(kind)
        let site = model.sites.first { $0.place == .beside && $0.path == path && $0.outputs == count }
        let (dense, readsTokens) = (try addDense(names, of: kind), kind.unit == .tokens)
        let weight = try add(
            names.tensor(path, "weight"), shape: [count, width],
            site.map { .copy($0.copyWeight) } ?? .normal(deviation: model.initializerRange))
        let bias =
            model.conventions.headHasBias || readsTokens
            ? try add(names.tensor(path, "bias"), shape: [count], site?.copyBias.map { .copy($0) } ?? .zero) : nil
        let dropout = settings.dropout ?? model.headDropout(kind)
        let chain = try addChain((settings.hasChain, count)) { names.tensor(LabelChain.key, $0) }
        return HeadParameters(
            pooling: readsTokens ? nil : model.headPooling,
            readsPooler: readsTokens
                ? model.conventions.tokensReadTransform && !model.conventions.headTransformPaths.isEmpty : dense == nil,
            dense: dense.map { [$0] } ?? [], activation: model.conventions.headActivation, weight: weight, bias: bias,
            labelCount: count, dropout: dropout, denseDropout: model.conventions.headDropsInput ? dropout : 0,
            chain: chain)
    }

    /// The dense layer of a head that has one of its own, as the checkpoint's, if that has one.
    private mutating func addDense(
        _ names: ModuleNames, of kind: HeadClass
    ) throws(GraftError) -> HeadParameters.Dense? {
        let model = names.model
        guard let path = model.conventions.headDensePath(kind) else { return nil }
        let width = model.shape.hiddenSize
        let site = model.sites.first { $0.place == .beside && $0.path == path }
        return HeadParameters.Dense(
            weight: try add(
                names.tensor(path, "weight"), shape: [width, width],
                site.map { .copy($0.copyWeight) } ?? .normal(deviation: model.initializerRange)),
            bias: try add(names.tensor(path, "bias"), shape: [width], site?.copyBias.map { .copy($0) } ?? .zero))
    }
}
