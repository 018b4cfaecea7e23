import GraftFormats
import GraftLayers
import GraftTensor

/// What a GGUF file that is written says of a model: the metadata of its architecture, and what
/// the tensors need to know of it.
struct GGUFKeys {
    var metadata = GGUFMetadata()
    /// Heads of queries, and of keys.
    var headCounts = (queries: 1, keys: 1)
    /// By what the frequencies of rotary positions are divided; empty for nothing.
    var rotaryFactors: [Float] = []
    private let architecture: String
    private let path: String

    /// - Parameter path: the model's, for messages.
    init(architecture: String, path: String) {
        self.architecture = architecture
        self.path = path
    }

    mutating func add(_ key: String, _ value: GGUFMetadata.Value) { metadata.add("\(architecture).\(key)", value) }

    /// What files of all architectures say.
    mutating func addSizes(
        length: Int, width: Int, layers: Int, innerSize: Int, heads: Int, keyHeads: Int
    ) {
        headCounts = (heads, keyHeads)
        add("context_length", .unsigned32(length))
        add("embedding_length", .unsigned32(width))
        add("block_count", .unsigned32(layers))
        add("feed_forward_length", .unsigned32(innerSize))
        add("attention.head_count", .unsigned32(heads))
    }

    /// Refuses a model that a file would be another one of.
    ///
    /// - Parameter what: what the model has otherwise.
    func require(_ holds: Bool, _ what: @autoclosure () -> String) throws(GraftError) {
        guard holds else {
            throw GraftError(
                .unsupported, "\(path): no GGUF file says of a \(architecture) model that it has \(what())")
        }
    }
}

extension GGUFKeys {
    /// In which layers a token sees only the last ones before it.
    enum Window {
        case none
        /// In all, or in none, of which the key says 0.
        case all
        /// In all but each so-many-th.
        case each(Int)
        /// The same, where a key says how many; what they usually are.
        case eachSaid(Int)
    }

    /// What files of Llama and its kin say.
    ///
    /// - Parameter layersOfLargest: as `gemmaSettings` has it.
    mutating func addLlama(
        _ kin: any LlamaKin.Type, _ source: any TensorSource, window: Window, layersOfLargest: Int? = nil
    ) throws(GraftError) {
        let model = try LlamaConfiguration(source.config, path: source.path, kin.variant)
        let isGemma = model.scalesEmbeddings
        try require(
            model.activation == (isGemma ? .geluTanh : .silu),
            "another activation than \(isGemma ? "gelu_pytorch_tanh" : "silu")")
        let scaled = layersOfLargest == model.layerCount ? model.hiddenSize / model.headCount : model.headWidth
        try require(
            model.attentionScale == 1 / Float(scaled).squareRoot(), "query_pre_attn_scalar other than \(scaled)")
        add("vocab_size", .unsigned32(model.vocabularySize))
        addSizes(
            length: model.maximumLength, width: model.hiddenSize, layers: model.layerCount,
            innerSize: model.intermediateSize, heads: model.headCount, keyHeads: model.keyValueHeadCount)
        add("attention.head_count_kv", .unsigned32(model.keyValueHeadCount))
        add("attention.layer_norm_rms_epsilon", .float32(model.norm.epsilon))
        add("attention.key_length", .unsigned32(model.headWidth))
        add("attention.value_length", .unsigned32(model.headWidth))
        if let bound = model.attentionSoftCap { add("attn_logit_softcapping", .float32(bound)) }
        if let bound = model.logitSoftCap { add("final_logit_softcapping", .float32(bound)) }
        let period = try addWindow(model, window)
        try addRotary(model, kin, period: period, path: source.path)
    }

    /// Returns which layers have none: each so-many-th; nil where the layers are alike.
    private mutating func addWindow(_ model: LlamaConfiguration, _ window: Window) throws(GraftError) -> Int? {
        let isBounded = model.windows.map { $0.map { $0 < model.maximumLength } ?? false }
        var usual = 0
        switch window {
        case .none:
            try require(!isBounded.contains(true), "layers with a window: expected sliding_window to be null")
            return nil
        case .all:
            let size = model.windows.first.flatMap { $0 }
            try require(model.windows.allSatisfy { $0 == size }, "windows of different sizes")
            add("attention.sliding_window", .unsigned32(size ?? 0))
            return nil
        case .each(let period), .eachSaid(let period): usual = period
        }
        var known = [usual]
        if case .eachSaid = window { known += Array(1...model.layerCount + 1) }
        let period = known.first { period in
            model.windows.enumerated().allSatisfy { index, size in (size == nil) == ((index + 1) % period == 0) }
        }
        try require(period != nil, "windows in other layers than in all but each \(usual)th")
        if let size = model.windows.compactMap({ $0 }).first { add("attention.sliding_window", .unsigned32(size)) }
        if let period, case .eachSaid = window { add("attention.sliding_window_pattern", .unsigned32(period)) }
        return period
    }

    private mutating func addRotary(
        _ model: LlamaConfiguration, _ kin: any LlamaKin.Type, period: Int?, path: String
    ) throws(GraftError) {
        // Of the layers without a window, and of the others.
        let full = model.rotary.enumerated().first { $0.offset % (period ?? 1) == (period ?? 1) - 1 }?.element
        let local = model.rotary.first.flatMap { $0 }
        let main = full.flatMap { $0 } ?? local
        guard let main else { return try require(false, "no rotary positions") }
        switch kin.variant.rotaryPlace {
        case .all: break
        case .skipping:
            try require(
                model.rotary.enumerated().allSatisfy { ($0.element == nil) == (($0.offset + 1) % 4 == 0) },
                "other layers that do not turn than each fourth")
        case .ofTypes:
            if let local, model.windows.first != .some(nil) {
                try require(local.scaling == .none, "rotary positions that are scaled in layers with a window")
                add("rope.freq_base_swa", .float32(Float(local.base)))
            }
        }
        add("rope.freq_base", .float32(Float(main.base)))
        add("rope.dimension_count", .unsigned32(main.turnedWidth(of: model.headWidth)))
        switch main.scaling {
        case .none: break
        case .linear(let factor):
            add("rope.scaling.type", .string("linear"))
            add("rope.scaling.factor", .float32(factor))
        case .llama3:
            rotaryFactors = RotaryFactors(main, headWidth: model.headWidth, path: path)?.factors ?? []
        case .yarn(let yarn):
            let usual = RotarySettings.yarn(factor: yarn.factor, originalLength: yarn.originalLength)
            try require(yarn == usual, "yarn with other settings than factor and original_max_position_embeddings")
            add("rope.scaling.type", .string("yarn"))
            add("rope.scaling.factor", .float32(Float(yarn.factor)))
            add("rope.scaling.original_context_length", .unsigned32(Int(yarn.originalLength)))
        case .longRope: try require(false, "rotary positions of the type longrope")
        }
    }
}
