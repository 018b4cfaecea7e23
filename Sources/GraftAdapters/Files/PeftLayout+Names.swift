import GraftFormats
import GraftTensor

extension PeftLayout {
    /// Files that were written without PEFT's own saving have the adapter's name in their keys,
    /// which PEFT reads too: in "lora_A.default.weight" it is "default".
    static func takeAdapterNames(out folder: inout AdapterFolder) throws(GraftError) {
        let place = folder.path
        var adapter: String?
        try folder.rename { tensor throws(GraftError) in
            guard let (name, own) = withoutAdapterName(tensor) else { return tensor }
            if let own {
                guard adapter ?? own == own else {
                    throw GraftError(
                        .unsupported,
                        "\(place): its tensors are of two adapters, \"\(adapter ?? "")\" and \"\(own)\"; expected those of one"
                    )
                }
                adapter = own
            }
            return name
        }
    }

    /// The settings in which modules that had another name before have that of now.
    static func current(_ settings: JSONObject, _ former: [String: String]) -> JSONObject {
        guard !former.isEmpty else { return settings }
        var current = settings
        for key in ["target_modules", "exclude_modules", "modules_to_save"] {
            guard case .array(let names) = settings[key] else { continue }
            current[key] = .array(names.map { $0.stringValue.map { .string(renamed($0, former)) } ?? $0 })
        }
        for key in ["rank_pattern", "alpha_pattern"] {
            guard let pattern = settings[key]?.objectValue else { continue }
            var own = JSONObject()
            for (name, value) in pattern { own[renamed(name, former)] = value }
            current[key] = .object(own)
        }
        return current
    }

    /// The same for the names of tensors.
    static func takeFormerNames(_ former: [String: String], out folder: inout AdapterFolder) throws(GraftError) {
        guard !former.isEmpty else { return }
        try folder.rename { renamed($0, former) }
    }

    private static func renamed(_ path: String, _ former: [String: String]) -> String {
        path.split(separator: ".", omittingEmptySubsequences: false)
            .map { former[String($0)] ?? String($0) }.joined(separator: ".")
    }

    /// The key without the adapter's name, and that, if there is one; nil for a key that has no
    /// place for it.
    private static func withoutAdapterName(_ tensor: String) -> (key: String, adapter: String?)? {
        let steps = tensor.split(separator: ".", omittingEmptySubsequences: false)
        let endings: [Substring: [[Substring]]] = [
            "lora_A": [["weight"], []], "lora_B": [["weight"], ["bias"], []], "lora_E": [[]], "lora_embedding_A": [[]],
            "lora_embedding_B": [[]], "lora_magnitude_vector": [[], ["weight"]], "ia3_l": [[]],
        ]
        guard let place = steps.lastIndex(where: { endings[$0] != nil }), let ends = endings[steps[place]] else {
            return nil
        }
        let start = Array(steps[...place])
        let rest = Array(steps[(place + 1)...])
        let isMagnitude = steps[place] == "lora_magnitude_vector"
        func joined(_ end: [Substring]) -> String { (start + (isMagnitude ? [] : end)).joined(separator: ".") }
        if ends.contains(rest) { return (joined(rest), nil) }
        guard let own = rest.first, ends.contains(Array(rest.dropFirst())) else { return nil }
        return (joined(Array(rest.dropFirst())), String(own))
    }

    /// Refuses a file none of whose tensors belongs to a module of the model, before it is asked
    /// for what it should have.
    func requireKin(_ folder: AdapterFolder) throws(GraftError) {
        if method.ownTensors.contains(where: { folder.tensor($0) != nil }) { return }
        let start = names.start
        let model = names.model
        let paths = Set(
            model.sites.filter { !model.conventions.headPaths.contains($0.path) }.map { names.path(of: $0) })
        let isKin = folder.tensors.contains { tensor in
            guard tensor.name.hasPrefix(start) else { return false }
            var path = tensor.name.dropFirst(start.count)
            while let dot = path.lastIndex(of: ".") {
                path = path[..<dot]
                if paths.contains(String(path)) { return true }
            }
            return false
        }
        guard !isKin, let example = model.sites.first(where: { $0.kind == .linear }) else { return }
        throw ForeignNames.error(
            folder.path,
            missing: JSON.string(method.ownTensors.first ?? names.tensor(names.path(of: example), "lora_A.weight"))
                .briefText,
            found: folder.tensors.map(\.name), isKin: false, start: start, model: "this \(model.architecture) model")
    }
}
