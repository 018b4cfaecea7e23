import GraftFormats
import GraftTensor

/// Checkpoints that read images, too: the decoder of texts within them is read, as the model of
/// `gemma3_text` that it is. What makes vectors of images is left out, also of merged folders.
extension Gemma3 {
    static let holders = ["gemma3"]

    /// Where the modules of the decoder stand, in the names of any release of transformers.
    private static let places = [
        ("language_model.lm_head.", "lm_head."), ("language_model.model.", "model."),
        ("model.language_model.", "model."), ("language_model.", "model."),
    ]
    private static let images = ["vision_tower.", "multi_modal_projector."]

    /// What transformers has where `text_config` says nothing.
    private static let usual: [(key: String, value: JSON)] = [
        ("vocab_size", 262_208), ("hidden_size", 2304), ("intermediate_size", 9216), ("num_hidden_layers", 26),
        ("num_attention_heads", 8),
    ]

    static func view(_ folder: any TensorSource) throws(GraftError) -> any TensorSource {
        let config = try folder.config.requireObject()
        guard let type = config["model_type"]?.stringValue, holders.contains(type) else { return folder }
        var text = try config.optionalObject("text_config") ?? JSONObject()
        for (key, value) in usual where text[key] == nil { text[key] = value }
        for key in ["quantization_config", "eos_token_id", "dtype", "torch_dtype"] {
            if let value = config[key] { text[key] = value }
        }
        text["model_type"] = .string(conventions.architecture)
        text["architectures"] = ["Gemma3ForCausalLM"]
        // What the class around it acts on, and what it does not.
        text["tie_word_embeddings"] = config["tie_word_embeddings"] ?? true
        text["final_logit_softcapping"] = .null
        return TensorView(of: folder, config: .object(text), named: own)
    }

    /// nil: no part of the decoder.
    private static func own(_ name: String) -> String? {
        let bare = name.hasPrefix("model.") ? String(name.dropFirst("model.".count)) : name
        guard !images.contains(where: bare.hasPrefix) else { return nil }
        for (place, own) in places where name.hasPrefix(place) { return own + name.dropFirst(place.count) }
        return name
    }
}
