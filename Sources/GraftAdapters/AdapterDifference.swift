import GraftFormats

extension AdapterContent {
    /// What tells this adapter from another one of the same model, apart from its numbers, as
    /// "setting {"r": 16}, here {"r": 8}"; nil where the numbers of either would mean the same in
    /// both.
    package func difference(from other: AdapterContent) -> String? {
        func unequal<Value: Equatable>(_ what: String, _ theirs: Value, _ ours: Value) -> String? {
            theirs == ours ? nil : "\(what) \(theirs), here \(ours)"
        }
        if let words = unequal("method", other.method.name, method.name) { return words }
        if let words = unequal("task", other.task?.name ?? "none", task?.name ?? "none") { return words }
        if let words = unequal("labels", other.labels, labels) { return words }
        let (saved, otherSaved) = (method.saved(layout.settings), other.method.saved(other.layout.settings))
        let keys = Set(saved.map(\.key) + otherSaved.map(\.key))
        for key in keys.subtracting(method.withoutEffect).sorted() {
            if let words = unequal("setting", Self.canonical(key, otherSaved), Self.canonical(key, saved)) {
                return words
            }
        }
        let (theirTensors, ourTensors) = (other.plan.fileTensors, plan.fileTensors)
        for (theirs, ours) in zip(theirTensors, ourTensors) {
            if let words = unequal("tensor", "\(theirs.name) \(theirs.shape)", "\(ours.name) \(ours.shape)") {
                return words
            }
        }
        return unequal("number of tensors", theirTensors.count, ourTensors.count)
    }

    /// A setting as one text, whichever of its spellings was given.
    private static func canonical(_ key: String, _ settings: JSONObject) -> String {
        var setting = JSONObject()
        setting[key] = withPlainNumbers(settings[key] ?? .null)
        return String(decoding: AdapterFiles.configuration(setting, indent: nil), as: UTF8.self)
    }

    private static func withPlainNumbers(_ value: JSON) -> JSON {
        switch value {
        case .number: return value.doubleValue.map(JSON.double) ?? value
        case .array(let elements): return .array(elements.map(withPlainNumbers))
        case .object(let members):
            var plain = JSONObject()
            for (key, value) in members { plain[key] = withPlainNumbers(value) }
            return .object(plain)
        default: return value
        }
    }
}
