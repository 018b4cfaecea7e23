import GraftFormats
import GraftTensor

/// What the metadata of a GGUF file says of a model, by keys that begin with its architecture.
struct GGUFSettings {
    let file: GGUFFile
    private let architecture: String

    private var header: GGUFHeader { file.header }

    init(_ file: GGUFFile, architecture: String) {
        self.file = file
        self.architecture = architecture
    }

    /// Settings that change what llama.cpp computes, and that checkpoints of most architectures do
    /// not have.
    private static let others: [(key: String, usual: Double)] = [
        ("expert_count", 0), ("attention.scale", 0), ("residual_scale", 1), ("embedding_scale", 1), ("logit_scale", 1),
        ("attention.clamp_kqv", 0), ("attention.max_alibi_bias", 0), ("attn_logit_softcapping", 0),
        ("final_logit_softcapping", 0),
    ]

    func refuseOthers(except known: Set<String>) throws(GraftError) {
        for (key, usual) in Self.others where !known.contains(key) {
            let key = "\(architecture).\(key)"
            guard let value = try header.optionalDouble(key), value != usual else { continue }
            throw GraftError(
                .unsupported,
                "\(file.path): \(key) is \(value), which this build does not do of a \(architecture) model")
        }
    }

    /// A whole number of at least one.
    func size(_ key: String) throws(GraftError) -> Int {
        guard let value = try optionalSize(key) else {
            throw header.unexpected("\(architecture).\(key)", expected: "a whole number from 1")
        }
        return value
    }

    /// The same; nil without the key. A list must have the same for all layers.
    func optionalSize(_ key: String) throws(GraftError) -> Int? {
        let key = "\(architecture).\(key)"
        guard let found = header[key] else { return nil }
        var value: Int?
        switch found {
        case .integer(let number): value = number
        case .array:
            let numbers = try file.numbers(of: key) ?? []
            guard let first = numbers.first, numbers.allSatisfy({ $0 == first }) else {
                throw GraftError(.unsupported, "\(file.path): \(key) has not the same number for all layers")
            }
            value = Int(exactly: first)
        default: break
        }
        guard let value, value > 0, value <= 1 << 24 else {
            throw header.unexpected(key, expected: "a whole number from 1 to 16777216")
        }
        return value
    }

    /// A number as people write it: 1e-05 where 32 bits have 9.999999747378752e-06.
    func float(_ key: String) throws(GraftError) -> JSON? {
        let key = "\(architecture).\(key)"
        guard let value = try header.optionalDouble(key) else { return nil }
        guard value.isFinite else { throw header.unexpected(key, expected: "a finite number") }
        let written = Double(Float(value)) == value ? "\(Float(value))" : "\(value)"
        return .number(written)
    }

    func string(_ key: String) throws(GraftError) -> String? { try header.optionalString("\(architecture).\(key)") }

    func flag(_ key: String) throws(GraftError) -> Bool? { try header.optionalBool("\(architecture).\(key)") }

    func unsupported(_ key: String, expected: String) -> GraftError {
        let key = "\(architecture).\(key)"
        return GraftError(
            .unsupported, "\(file.path): \(key) is \(header[key]?.kind ?? "missing"); this build does \(expected)")
    }

    func has(_ tensor: String) -> Bool { header.entry(tensor) != nil }

    func headCount() throws(GraftError) -> Int { try size("attention.head_count") }

    func keyValueHeadCount() throws(GraftError) -> Int {
        if let count = try optionalSize("attention.head_count_kv") { return count }
        return try headCount()
    }

    /// The share of a head's numbers that turn by positions: one by which they are counted again.
    func rotaryShare(ofWidth width: Int) throws(GraftError) -> JSON {
        let turned = try optionalSize("rope.dimension_count") ?? width
        let share = Double(turned) / Double(width)
        return .number("\(Int(share * Double(width)) < turned ? share.nextUp : share)")
    }

    /// The rows of a table, which its tensor has.
    func rows(of tensor: String) throws(GraftError) -> JSON {
        guard let entry = header.entry(tensor) else {
            throw GraftError(.notFound, "\(file.path): the tensor \"\(tensor)\" is missing")
        }
        return .integer(entry.shape.first ?? 0)
    }

    /// Which tokens begin, end and pad a text. A chat's turns may end with another than a text.
    func addTokens(to config: inout JSONObject) throws(GraftError) {
        func token(_ role: String) throws(GraftError) -> Int? {
            try header.optionalInt("tokenizer.ggml.\(role)_token_id")
        }
        // Where the file names none there is none, whatever the architecture's usual one is.
        for (key, role) in [("bos_token_id", "bos"), ("pad_token_id", "padding")] {
            config[key] = try token(role).map(JSON.integer) ?? .null
        }
        config["eos_token_id"] = .null
        let end = try token("eos")
        let turnEnd = try token("eot")
        guard let first = end ?? turnEnd else { return }
        let second = turnEnd ?? first
        config["eos_token_id"] = first == second ? .integer(first) : [.integer(first), .integer(second)]
    }
}
