import GraftFormats
import GraftTensor

/// What architectures share in reading config.json: typed fields within the range that a model can have.
struct ConfigurationReader {
    let config: JSON
    /// The file's path, where messages begin.
    let file: String

    init(_ config: JSON, path: String) {
        self.config = config
        file = path + "/config.json"
    }

    /// A count of at least one; without a fallback it must be there.
    func size(_ key: String, _ fallback: Int? = nil) throws(GraftError) -> Int {
        let found = try config.optionalInt(key) ?? fallback
        let value = if let found { found } else { try config.int(key) }
        guard value > 0, value <= 1 << 24 else {
            throw GraftError(.corruptFile, "\(file): \"\(key)\" must be 1 to 16777216, found \(value)")
        }
        return value
    }

    func probability(_ key: String, _ fallback: Float) throws(GraftError) -> Float {
        let value = try config.optionalDouble(key) ?? Double(fallback)
        guard value >= 0, Float(value) < 1 else {
            throw GraftError(.corruptFile, "\(file): \"\(key)\" must be at least 0 and below 1, found \(value)")
        }
        return Float(value)
    }

    func flag(_ key: String) throws(GraftError) -> Bool { try config.optionalBool(key) ?? false }

    func float(_ key: String, _ fallback: Double) throws(GraftError) -> Float {
        let value = try config.optionalDouble(key) ?? fallback
        guard value >= 0, value <= 1e6 else {
            throw GraftError(.corruptFile, "\(file): \"\(key)\" must be 0 to 1000000, found \(value)")
        }
        return Float(value)
    }

    func activation(_ key: String, _ fallback: String) throws(GraftError) -> Activation {
        let name = try config.optionalString(key) ?? fallback
        guard let activation = Activation(name: name) else {
            throw GraftError(.unsupported, "\(file): \(key) \"\(name)\"; expected gelu, gelu_new, relu, silu or tanh")
        }
        return activation
    }

    /// `id2label` in the order of its numbers; empty where config.json has none.
    func labels() throws(GraftError) -> [String] {
        guard let names = try config.optionalObject("id2label") else { return [] }
        var labels: [String] = []
        for index in 0..<names.count {
            guard let name = names[String(index)]?.stringValue else { return [] }
            labels.append(name)
        }
        return labels
    }
}
