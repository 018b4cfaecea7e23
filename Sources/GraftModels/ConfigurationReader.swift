import GraftFormats
import GraftLayers
import GraftTensor

/// What architectures share in reading config.json: typed fields within the range that a model can
/// have.
struct ConfigurationReader {
    let config: JSON
    /// The file's path, where messages begin; of a GGUF file, whose settings have other names, with
    /// that said.
    let file: String

    init(_ config: JSON, path: String) {
        self.config = config
        file = FileKind.of(path) == .file ? path + ", as config.json has it" : path + "/config.json"
    }

    /// Refuses what this build would pass over and transformers would not; `reads` are shared keys
    /// that this architecture does act on.
    func check(_ own: [ConfigurationRule], layerCount: Int, reads: Set<String> = []) throws(GraftError) {
        let shared = ConfigurationRule.shared.filter { !reads.contains($0.key) }
        for rule in shared + own { try rule.check(config, file: file) }
        if !reads.contains("layer_types") {
            try ConfigurationRule.checkLayerTypes(config, count: layerCount, file: file)
        }
    }

    /// A key that says again what others say.
    func check(_ key: String, repeats value: JSON) throws(GraftError) {
        try ConfigurationRule.checkRepeated(config, key, is: value, file: file)
    }

    /// A count of at least one; without a fallback it must be there.
    func size(_ key: String, _ fallback: Int? = nil, atMost limit: Int = 1 << 24) throws(GraftError) -> Int {
        let found = try config.optionalInt(key) ?? fallback
        let value = if let found { found } else { try config.int(key) }
        guard value > 0, value <= limit else {
            throw GraftError(.corruptFile, "\(file): \"\(key)\" must be 1 to \(limit), found \(value)")
        }
        return value
    }

    /// A count of layers, each of which has settings in memory before its weights are looked for.
    func layerCount(_ key: String, _ fallback: Int? = nil) throws(GraftError) -> Int {
        try size(key, fallback, atMost: 1 << 16)
    }

    /// Refuses a width that heads of the kernels' width do not make up.
    ///
    /// - Parameter even: Whether each head turns by its positions, in halves.
    func checkHeads(
        _ width: (key: String, value: Int), _ count: (key: String, value: Int), even isEven: Bool = false
    ) throws(GraftError) {
        guard width.value % (isEven ? 2 * count.value : count.value) == 0, width.value / count.value <= 256 else {
            throw GraftError(
                .unsupported,
                "\(file): \(width.key) \(width.value) must be \(count.key) \(count.value) times "
                    + "\(isEven ? "an even" : "a") head width of at most 256")
        }
    }

    func probability(_ key: String, _ fallback: Float) throws(GraftError) -> Float {
        let value = try config.optionalDouble(key) ?? Double(fallback)
        guard value >= 0, Float(value) < 1 else {
            throw GraftError(.corruptFile, "\(file): \"\(key)\" must be at least 0 and below 1, found \(value)")
        }
        return Float(value)
    }

    /// Dropout before the head of a decoder's token classification class: transformers' own default
    /// there, whatever the model's other dropouts.
    func tokenHeadDropout() throws(GraftError) -> Float {
        try probability("classifier_dropout", probability("hidden_dropout", 0.1))
    }

    func flag(_ key: String, _ fallback: Bool = false) throws(GraftError) -> Bool {
        try config.optionalBool(key) ?? fallback
    }

    func float(_ key: String, _ fallback: Double) throws(GraftError) -> Float {
        let value = try config.optionalDouble(key) ?? fallback
        guard value >= 0, value <= 1e6 else {
            throw GraftError(.corruptFile, "\(file): \"\(key)\" must be 0 to 1000000, found \(value)")
        }
        return Float(value)
    }

    /// - Parameters:
    ///   - gelu: What "gelu" stands for.
    ///   - repeated: A key that must say the same, where it is there.
    func activation(
        _ key: String, _ fallback: String, gelu: String = "gelu", repeated: String? = "hidden_activation"
    ) throws(GraftError) -> Activation {
        let given = try config.optionalString(key) ?? fallback
        let name = given == "gelu" ? gelu : given
        guard let activation = Activation(name: name) else {
            throw GraftError(
                .unsupported, "\(file): \(key) \"\(name)\"; expected \(Activation.names.joined(separator: ", "))")
        }
        if let repeated { try check(repeated, repeats: .string(name)) }
        return activation
    }

    /// `pad_token_id`: which token it is, and which row of the table never learns. A negative one
    /// pads nothing, and its row counts from the end, as in torch.
    func paddingToken(
        _ fallback: Int?, reads: Bool = true, vocabularySize: Int
    ) throws(GraftError) -> (token: Int32?, frozenRow: Int?) {
        guard let id = try !reads || config["pad_token_id"] == nil ? fallback : config.optionalInt("pad_token_id")
        else {
            return (nil, nil)
        }
        guard id >= -vocabularySize, id < vocabularySize else {
            throw GraftError(
                .incompatible, "\(file): \"pad_token_id\" is \(id); the vocabulary has \(vocabularySize) tokens")
        }
        return id < 0 ? (nil, vocabularySize + id) : (Int32(id), id)
    }

    /// What a decoder's rows begin with. generation_config.json does not say: a model learns as
    /// config.json has it.
    ///
    /// - Parameter end: the usual `eos_token_id`, where heads of rows read at that.
    func decoderTokens(
        usual: Int?, padding: Int32?, end: Int32?, vocabularySize: Int
    ) throws(GraftError) -> DecoderTokens {
        let key = "decoder_start_token_id"
        var end = end
        if let given = config["eos_token_id"], end != nil { end = given.intValue.flatMap { Int32(exactly: $0) } }
        guard let usual else { return DecoderTokens(start: nil, padding: padding ?? 0, end: end) }
        let start = try config.optionalInt(key) ?? usual
        guard start >= 0, start < vocabularySize else {
            throw GraftError(
                .incompatible, "\(file): \"\(key)\" is \(start); the vocabulary has \(vocabularySize) tokens")
        }
        return DecoderTokens(start: Int32(start), padding: padding ?? Int32(start), end: end)
    }

    /// The classes of the checkpoint's own head: the names of `id2label`, or numbered ones, of
    /// which there are `num_labels`, or else two or as many as a class has.
    func labels(usual: Int = 2) throws(GraftError) -> [String] {
        guard let names = try config.optionalObject("id2label") else {
            return numbered(try size("num_labels", usual, atMost: 1 << 20))
        }
        var labels: [String] = []
        for index in 0..<names.count {
            guard let name = names[String(index)]?.stringValue else { return numbered(names.count) }
            labels.append(name)
        }
        return labels
    }

    private func numbered(_ count: Int) -> [String] { (0..<count).map { "LABEL_\($0)" } }

    /// `problem_type`; nil where config.json does not say.
    func problem() throws(GraftError) -> ProblemType? {
        guard let name = try config.optionalString("problem_type") else { return nil }
        guard let problem = ProblemType(rawValue: name) else {
            throw GraftError(
                .corruptFile,
                "\(file): problem_type \"\(name)\"; expected one of "
                    + ProblemType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return problem
    }
}
