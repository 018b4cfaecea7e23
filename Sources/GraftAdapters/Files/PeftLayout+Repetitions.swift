import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

extension PeftLayout {
    /// PEFT also writes some tensors that repeat what is known: with `bias` "all" the head's biases under their inner
    /// names, and the full table of an adapted embedding. They must agree with what they repeat.
    func repeats(_ stored: StoredTensor, in folder: AdapterFolder, _ plan: AdapterPlan) throws(GraftError) -> Bool {
        let start = Self.start
        guard stored.name.hasPrefix(start) else { return false }
        let name = String(stored.name.dropFirst(start.count))
        if config["bias"]?.stringValue == "all", let (path, isOriginal) = Self.savedBias(name) {
            guard let twin = folder.tensor(start + path), savedPaths(plan).contains(where: { path == $0 + ".bias" })
            else {
                return false
            }
            if isOriginal { return twin.shape == stored.shape }
            return twin.elementType == stored.elementType && twin.bytes.elementsEqual(stored.bytes)
        }
        let suffix = ".base_layer.weight"
        guard name.hasSuffix(suffix), let type = stored.elementType.kernelType else { return false }
        let path = name.dropLast(suffix.count)
        guard
            let index = names.model.sites.firstIndex(where: { names.path(of: $0) == path }),
            plan.sites[index]?.delta != nil
        else { return false }
        let site = names.model.sites[index]
        guard site.kind == .embedding || site.place == .beside, stored.shape == site.weightShape,
            let bytes = stored.bytes.baseAddress
        else { return false }
        // Either may have been rounded where the other was not.
        let count = site.inputs * site.outputs
        let own = try Memory(byteCount: count * 4)
        let copy = try Memory(byteCount: count * 4)
        site.copyWeight(own.floats())
        gk_to_float32(Int64(count), bytes, type, copy.floats())
        try Self.round(own.floats(), count: count, to: type)
        try Self.round(copy.floats(), count: count, to: site.precision.kernelType)
        for index in 0..<count where own.floats()[index] != copy.floats()[index] {
            throw GraftError(
                .incompatible,
                "\(stored.file.path): tensor \"\(stored.name)\" differs from the model's own table: the adapter was made for "
                    + "another base model")
        }
        return true
    }

    private static func round(_ numbers: UnsafeMutablePointer<Float>, count: Int, to type: gk_type) throws(GraftError) {
        guard type != gk_type(GK_FLOAT32) else { return }
        let rounded = try Memory(byteCount: count * 2)
        gk_from_float32(Int64(count), numbers, type, rounded.base)
        gk_to_float32(Int64(count), rounded.base, type, numbers)
    }

    /// The outer name of a bias inside PEFT's wrapper of a saved module, and whether it is the base model's.
    private static func savedBias(_ name: String) -> (path: String, isOriginal: Bool)? {
        var steps = name.split(separator: ".")
        guard steps.last == "bias",
            let place = steps.firstIndex(where: { $0 == "original_module" || $0 == "modules_to_save" })
        else { return nil }
        let isOriginal = steps.remove(at: place) == "original_module"
        // A module that holds others has the adapter's name as well: pooler.modules_to_save.default.dense.bias.
        if !isOriginal, steps[place] == "default" { steps.remove(at: place) }
        return (steps.joined(separator: "."), isOriginal)
    }

    /// Paths of modules that the adapter has in full.
    private func savedPaths(_ plan: AdapterPlan) -> [String] {
        var paths = head != nil && head?.pooling == nil ? [names.model.headPath] : []
        for (index, site) in names.model.sites.enumerated() where plan.sites[index]?.weight != nil {
            paths.append(names.path(of: site))
        }
        return paths
    }
}
