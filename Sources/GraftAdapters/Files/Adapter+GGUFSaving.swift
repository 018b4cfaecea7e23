import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

extension Adapter {
    /// Writes LoRA as a file of llama.cpp: see `load(_:model:names:)`. What such a file does not
    /// hold is refused by name.
    ///
    /// - Parameter names: of a model's tensors in such files; nil where there are none of it.
    package func saveGGUF(to path: String, names: (Model) -> GGUFNames?) throws(GraftError) {
        try read { content, _ throws(GraftError) in
            guard let names = names(content.model) else {
                throw GraftError(
                    .unsupported, "\(path): llama.cpp's files have no \(content.model.architecture) models")
            }
            try content.ggufWriter(names, path).write(to: path)
        }
    }
}

extension AdapterContent {
    private struct Delta {
        let site: Site
        let a: Parameter
        let b: Parameter
        let rank: Int
        let factor: Float
    }

    fileprivate func ggufWriter(_ names: GGUFNames, _ path: String) throws(GraftError) -> GGUFWriter {
        func refused(_ what: String) -> GraftError {
            GraftError(.unsupported, "\(path): a GGUF file holds LoRA's matrices alone, and this adapter has \(what)")
        }
        guard plan.head == nil else { throw refused("a head") }
        guard plan.prefix == nil, plan.prompt == nil else { throw refused("virtual tokens, as \"\(method.name)\"") }
        var deltas: [(name: String, form: GGUFNames.Form, delta: Delta)] = []
        for (index, site) in self.names.sites.enumerated() {
            guard let own = plan.sites[index], own.weight != nil || own.bias != nil || own.action != nil else {
                continue
            }
            guard own.weight == nil else { throw refused("\(site.path) in full") }
            guard own.bias == nil else { throw refused("a bias of \(site.path)") }
            guard let delta = Self.delta(site, own.action) else {
                throw refused("what \"\(method.name)\" with its settings does at \(site.path)")
            }
            // llama.cpp would have a table's matrices act wherever its numbers do.
            let isTied = model.vocabulary.tiedHead != nil && index == model.vocabulary.words
            guard !isTied, index != model.vocabulary.tiedHead, let (name, form) = names.stored(site.path + ".weight")
            else {
                throw refused("matrices of \(site.path), which is no tensor of its own there")
            }
            guard site.inputs == model.sites[index].inputs, site.outputs == model.sites[index].outputs else {
                throw refused("another vocabulary than the model")
            }
            deltas.append((name, form, delta))
        }
        guard let first = deltas.first?.delta else { throw refused("none") }
        // The file has one alpha, and each module's factor is that over its rank: what a module has
        // otherwise goes into B.
        let alpha = first.factor * Float(first.rank)
        var metadata = GGUFMetadata()
        metadata.add("general.architecture", .string(names.architecture))
        metadata.add("general.type", .string("adapter"))
        metadata.add("adapter.type", .string("lora"))
        metadata.add("adapter.lora.alpha", .float32(alpha))
        var tensors: [GGUFWriter.Tensor] = []
        for (name, form, delta) in deltas {
            let (site, rank) = (delta.site, delta.rank)
            let isTable = site.kind == .embedding
            tensors.append(
                try tensor(
                    name + ".lora_a", delta.a, [rank, site.inputs], form: isTable ? .transposed : .plain, factor: 1))
            // [outputs, r] lies as the weight of queries and keys does, but never turned.
            let lies = form.of(headCount: model.shape.headCount, keyHeadCount: model.shape.keyHeadCount)
            tensors.append(
                try tensor(
                    name + ".lora_b", delta.b, [site.outputs, rank], form: lies == .transposed ? .plain : lies,
                    factor: delta.factor / (alpha / Float(rank))))
        }
        return GGUFWriter(metadata, tensors)
    }

    private static func delta(_ site: Site, _ action: SiteAction?) -> Delta? {
        switch action {
        case .linear(let action):
            guard let delta = action as? LoraDelta, delta.isPlain else { return nil }
            return Delta(site: site, a: delta.a, b: delta.b, rank: delta.rank, factor: delta.factor)
        case .embedding(let action):
            guard let delta = action as? LoraEmbeddingDelta else { return nil }
            return Delta(site: site, a: delta.a, b: delta.b, rank: delta.rank, factor: delta.factor)
        case .hidden, nil: return nil
        }
    }

    private func tensor(
        _ name: String, _ parameter: Parameter, _ shape: [Int], form: GGUFSource.Form, factor: Float
    ) throws(GraftError) -> GGUFWriter.Tensor {
        let memory = try Memory(byteCount: 4 * parameter.count)
        for index in 0..<parameter.count { memory.floats()[index] = values[parameter.offset + index] * factor }
        let file = MappedFile(memory, byteCount: 4 * parameter.count, path: name)
        return GGUFWriter.Tensor(name, type: .float32, shape: shape, form: form) { () throws(GraftError) in
            try TensorRows(
                file, range: 0..<4 * parameter.count, type: gk_type(GK_FLOAT32), name: name, path: name)
        }
    }
}
