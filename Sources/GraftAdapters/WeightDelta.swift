import GraftLayers
import GraftTensor

/// What an adapter makes of the numbers of a model's modules, from a copy of its own numbers.
///
/// It outlives changes of the adapter, and is shared by whoever reads a merged model.
package final class WeightDelta: @unchecked Sendable {
    let content: AdapterContent
    private let scale: Float
    private let memory: Memory

    /// While nothing changes the adapter's numbers. An adapter that does what no weights can do is
    /// refused.
    package init(_ content: AdapterContent, scale: Float) throws(GraftError) {
        self.content = content
        self.scale = scale
        memory = try Memory(byteCount: content.plan.parameterCount * 4)
        memory.floats().update(from: content.values, count: content.plan.parameterCount)
        guard content.plan.prefix == nil, content.plan.prompt == nil else {
            throw GraftError(
                .unsupported,
                "method \"\(content.method.name)\" puts rows before those of a batch, which no change of the model's weights "
                    + "is equal to")
        }
        for (index, site) in content.model.sites.enumerated() {
            guard let action = content.plan.sites[index] else { continue }
            guard action.action == nil || change(index) != nil else {
                throw GraftError(
                    .unsupported,
                    "method \"\(content.method.name)\" acts at \(site.path) in a way that no change of the model's weights "
                        + "is equal to")
            }
            guard !changesBias(at: index) || site.copyBias != nil else {
                throw GraftError(
                    .incompatible, "the adapter adds to the bias of \(site.path), which has none in this model")
            }
        }
    }

    private func action(_ site: Int) -> SiteAdapter { content.plan.sites[site] ?? SiteAdapter() }

    private func change(_ site: Int) -> (any WeightChange)? {
        switch action(site).action {
        case .linear(let action): action as? any WeightChange
        case .embedding(let action): action as? any WeightChange
        case .hidden, nil: nil
        }
    }

    /// Whether the module's weight is another one with the adapter.
    func changesWeight(at site: Int) -> Bool { action(site).weight != nil || action(site).action != nil }

    func changesBias(at site: Int) -> Bool { action(site).bias != nil || change(site)?.changesBias ?? false }

    /// The shape of the weight, as torch keeps it.
    func weightShape(at site: Int) -> [Int] { content.names.sites[site].weightShape }

    /// The weight with the adapter, as torch keeps it. `base` fills in the frozen one where the
    /// adapter has none of its own.
    func weight(
        at site: Int, base: (UnsafeMutablePointer<Float>) throws(GraftError) -> Void
    ) throws(GraftError) -> Memory {
        let shape = weightShape(at: site)
        let memory = try Memory(byteCount: shape.reduce(1, *) * 4)
        if let own = action(site).weight {
            memory.floats().update(from: values(own), count: own.count)
        } else {
            try base(memory.floats())
        }
        try addDelta(at: site, to: memory.floats())
        return memory
    }

    /// ΔW, as torch keeps the weight.
    func change(at site: Int) throws(GraftError) -> Memory {
        let module = content.names.sites[site]
        let memory = try Memory(byteCount: weightShape(at: site).reduce(1, *) * 4)
        if let own = action(site).weight {
            module.copyStoredWeight(memory.floats())
            for index in 0..<own.count { memory.floats()[index] = values(own)[index] - memory.floats()[index] }
        }
        try addDelta(at: site, to: memory.floats())
        return memory
    }

    /// W += ΔW of what the adapter adds to the weight, as torch keeps it.
    private func addDelta(at site: Int, to weight: UnsafeMutablePointer<Float>) throws(GraftError) {
        guard let change = change(site) else { return }
        let module = content.names.sites[site]
        let team = try Team(threadCount: 0)
        let (rows, columns) =
            module.kind == .embedding
            ? (module.inputs, module.outputs) : (module.outputs, module.inputs)
        guard module.isTransposed else {
            return try change.addDelta(
                to: Matrix(weight, rows: rows, columns: columns), scale: scale, values: memory.floats(), site: module,
                team: team)
        }
        let delta = try Memory(byteCount: rows * columns * 4)
        let matrix = Matrix(delta.floats(), rows: rows, columns: columns)
        try change.addDelta(to: matrix, scale: scale, values: memory.floats(), site: module, team: team)
        for column in 0..<columns {
            for row in 0..<rows { weight[column * rows + row] += matrix.base[row * columns + column] }
        }
        withExtendedLifetime(delta) {}
    }

    /// The bias with the adapter, as `weight`.
    func bias(
        at site: Int, base: (UnsafeMutablePointer<Float>) throws(GraftError) -> Void
    ) throws(GraftError) -> Memory {
        let module = content.names.sites[site]
        let memory = try Memory(byteCount: module.outputs * 4)
        if let own = action(site).bias {
            memory.floats().update(from: values(own), count: own.count)
        } else {
            try base(memory.floats())
        }
        if let change = change(site), change.changesBias {
            try change.addDelta(
                toBias: memory.floats(), scale: scale, values: self.memory.floats(), site: module,
                team: try Team(threadCount: 0))
        }
        return memory
    }

    /// A copy of one of the adapter's own tensors.
    func copy(_ parameter: Parameter) throws(GraftError) -> Memory {
        let copy = try Memory(byteCount: parameter.count * 4)
        copy.floats().update(from: values(parameter), count: parameter.count)
        return copy
    }

    /// Whether two modules have one and the same weight of the adapter's own, and nothing is added
    /// to either.
    func sharesWeight(_ site: Int, _ other: Int) -> Bool {
        guard let own = action(site).weight, let twin = action(other).weight else { return false }
        return own.offset == twin.offset && action(site).action == nil && action(other).action == nil
    }

    private func values(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
        memory.floats() + parameter.offset
    }
}
