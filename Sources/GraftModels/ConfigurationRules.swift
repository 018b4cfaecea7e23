import GraftFormats
import GraftTensor

/// Keys of config.json that transformers acts on and this build does only at some values. Null is
/// one of them, but for keys where transformers takes it for false; without the key transformers
/// does what is usual.
///
/// With what the configurations read, these are all keys that change what transformers computes. It
/// passes over others.
struct ConfigurationRule {
    let key: String
    let expected: [JSON]

    static func only(_ key: String, _ expected: JSON...) -> ConfigurationRule {
        ConfigurationRule(key: key, expected: expected + [.null])
    }

    static func onlyTrue(_ key: String) -> ConfigurationRule { ConfigurationRule(key: key, expected: [true]) }

    /// Of every architecture.
    static let shared: [ConfigurationRule] = [
        // Another computation than the architecture's own.
        .only("quantization_config"), .only("compression_config"), .only("per_layer_config", [:]),
        .only("pruned_heads", [:]), .only("is_encoder_decoder", false), .only("tie_last_hidden_states", true),
        .only("sliding_window"), .only("attention_chunk_size"), .only("attn_logit_softcapping"),
        .only("final_logit_softcapping"),
        // Settings of a model within the model, which go before those beside them.
        .only("text_config"), .only("decoder"), .only("generator"), .only("text_encoder"),
    ]

    /// The only kinds of layers that there are here.
    private static let layerTypes = ["full_attention", "attention"]

    func check(_ config: JSON, file: String) throws(GraftError) {
        guard let value = config[key], !expected.contains(where: { Self.isSame($0, value) }) else { return }
        let usual = expected.map { $0.serialized(indent: nil) }
        throw GraftError(
            .unsupported,
            "\(file): \"\(key)\" is \(value.briefText); this build does " + usual.joined(separator: " or "))
    }

    private static func isSame(_ a: JSON, _ b: JSON) -> Bool {
        if let a = a.doubleValue, let b = b.doubleValue { return a == b }
        return a == b
    }

    /// Layers that do not all attend alike.
    static func checkLayerTypes(_ config: JSON, count: Int, file: String) throws(GraftError) {
        guard let types = try config.optionalStrings("layer_types") else { return }
        guard types.count == count, types.allSatisfy(layerTypes.contains) else {
            throw GraftError(
                .unsupported,
                "\(file): \"layer_types\" must be \"full_attention\" for each of \(count) layers, found "
                    + JSON.array(types.map(JSON.string)).briefText)
        }
    }

    /// A key that nobody reads, but that says otherwise than those that are read.
    static func checkRepeated(_ config: JSON, _ key: String, is value: JSON, file: String) throws(GraftError) {
        guard let found = config[key], !found.isNull, !isSame(found, value) else { return }
        throw GraftError(
            .unsupported,
            "\(file): \"\(key)\" is \(found.briefText), and by the other settings \(value.briefText)")
    }
}
