import GraftFormats
import GraftLayers
import GraftTensor

extension PeftLayout {
    /// PEFT also writes some tensors that repeat what is known: saved modules under their inner
    /// names too, and the model's own tables. They must agree with what they repeat.
    func repeats(
        _ full: String, _ stored: StoredTensor, in folder: AdapterFolder, _ plan: AdapterPlan
    ) throws(GraftError) -> Bool {
        let start = names.start
        guard full.hasPrefix(start) else { return false }
        let name = String(full.dropFirst(start.count))
        if let (path, isOriginal) = Self.savedCopy(name) {
            guard let twin = folder.tensor(start + path), savedPaths(plan).contains(where: { path.hasPrefix($0 + ".") })
            else { return false }
            return isOriginal ? twin.shape == stored.shape : twin.holdsTheSame(as: stored)
        }
        for site in names.model.sites where site.kind == .embedding || site.place == .beside {
            let path = names.path(of: site)
            let isBaseLayer = name == path + ".base_layer.weight"
            guard isBaseLayer || name == path + ".weight" else { continue }
            guard try !Self.isModelsOwn(stored, site) else { return true }
            guard isBaseLayer, stored.shape == site.weightShape else { return false }
            throw GraftError(
                .incompatible,
                "\(stored.file.path): tensor \"\(stored.name)\" differs from the model's own table: the adapter was made for "
                    + "another base model")
        }
        return false
    }

    /// The outer name of a tensor inside PEFT's wrapper of a saved module, and whether it is the
    /// base model's.
    private static func savedCopy(_ name: String) -> (path: String, isOriginal: Bool)? {
        var steps = name.split(separator: ".")
        guard
            let place = steps.firstIndex(where: { $0 == "original_module" || $0 == "modules_to_save" })
        else { return nil }
        let isOriginal = steps.remove(at: place) == "original_module"
        // A module that holds others has the adapter's name as well:
        // pooler.modules_to_save.default.dense.bias.
        if !isOriginal, steps[place] == "default" { steps.remove(at: place) }
        return (steps.joined(separator: "."), isOriginal)
    }

    /// Paths of modules that the adapter has in full.
    private func savedPaths(_ plan: AdapterPlan) -> [String] {
        var paths =
            head != nil && head?.pooling == nil
            ? names.model.conventions.headPaths(task?.headClass ?? .rows) : []
        for (index, site) in names.sites.enumerated() where plan.sites[index]?.weight != nil {
            paths.append(names.path(of: site))
        }
        return paths
    }
}
