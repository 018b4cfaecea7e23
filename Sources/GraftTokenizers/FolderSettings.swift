import GraftFormats
import GraftTensor

/// What the files beside `tokenizer.json`, or those in its place, say of a tokenizer, read as
/// transformers 5.23 reads them.
///
/// Which class of transformers the tokenizer is of decides what counts: `tokenizer_class` of
/// `tokenizer_config.json`, or of `config.json`, or the class that goes with `model_type`. Where
/// the releases 4.57 and 5.23 differ in what they would do, the folder is refused.
///
/// | setting | what it does |
/// | --- | --- |
/// | `do_lower_case`, `strip_accents`, `tokenize_chinese_chars` | for BERT's classes, true, null and true where missing: how text is normalised, whatever `tokenizer.json` says |
/// | `bos_token` … `mask_token`, `additional_special_tokens`, `extra_special_tokens`, other `…_token` | names of special tokens; one that `tokenizer.json` does not list is added |
/// | `added_tokens_decoder` | added tokens, those of `tokenizer.json` included, with what marks them |
/// | `special_tokens_map.json`, `added_tokens.json` | without `added_tokens_decoder`: the same, and above `tokenizer_config.json` |
/// | `legacy` | for Llama's class whether a mark for a space is put before each piece of text, or the whole only |
/// | `add_prefix_space` | for GPT-2's and Llama's classes whether a space is put before the text; for others refused where `tokenizer.json` does otherwise |
/// | `add_bos_token`, `add_eos_token` | for Llama's classes refused where `tokenizer.json` does otherwise; for others of no effect; beside older files what the class does with them (see `TokenizerClass`) |
/// | `model_type` of `config.json`, `tokenizer_class` | `marian`, `MarianTokenizer`: every text ends with the end token, as Marian's class has it, where `tokenizer.json` adds nothing |
/// | `clean_up_tokenization_spaces` | true: no spaces before punctuation in decoded text, but for byte-pair encoding |
/// | `split_special_tokens`, `fix_mistral_regex`, `clean_up_…_for_bpe_…`, `do_basic_tokenize` | refused where they would change a token |
struct FolderSettings {
    let configuration: JSONObject
    let names: SpecialTokenNames
    /// How long a text may be.
    let declaration: FolderDeclaration
    /// Tokens that the folder adds to those of `tokenizer.json`, in the order in which they get
    /// their ids.
    private(set) var addedTokens: [AddedToken] = []
    /// The special tokens that have a name of their own, as a chat template sees them.
    private(set) var namedContents = JSONObject()
    /// What turns a conversation into a text.
    let chatTemplates: ChatTemplates
    /// Special tokens that are added unless they are there, after those.
    private var namedTokens: [AddedToken] = []
    /// Without the suffix `Fast`; nil where nothing says it.
    let tokenizerClass: String?
    /// What this build knows of that class; nil of another.
    let known: TokenizerClass?
    let source: String

    private static let roles = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// Classes of tokenizers that are whatever `tokenizer.json` says.
    static let plainClasses = ["PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend"]

    private static let marianClass = "MarianTokenizer"

    /// BERT's class, or one that is BERT's under another name.
    private var isBert: Bool { known?.name == "BertTokenizer" }

    /// - Parameters:
    ///   - files: those that the tokenizer is made from; nil for `tokenizer.json`.
    ///   - pieces: the file of SentencePiece among them.
    init(
        _ folder: InputFolder, files kind: TokenizerFiles? = nil, pieces: SentencePieceFile? = nil
    ) throws(GraftError) {
        source = folder.path(of: "tokenizer_config.json")
        let found = try folder.optionalObject("tokenizer_config.json")
        let configuration = found ?? JSONObject()
        self.configuration = configuration
        declaration = try FolderDeclaration(folder, configuration: found)
        chatTemplates = try ChatTemplates(folder, configuration: configuration)
        let model = try folder.optionalObject("config.json") ?? JSONObject()
        let named = try Self.tokenizerClass(configuration, model: model)
        let isUnnamed = named.map(Self.plainClasses.contains) ?? true
        tokenizerClass = isUnnamed ? kind?.usualClass(model["model_type"]?.stringValue) ?? named : named
        let known = TokenizerClass.named(tokenizerClass)
        self.known = known
        // What tokenizer_config.json lists makes the older files void.
        let isListed = configuration["added_tokens_decoder"] != nil
        let map = isListed ? nil : try folder.optionalObject("special_tokens_map.json")
        let older = isListed ? nil : try folder.optionalObject("added_tokens.json")
        let files = [map, configuration].compactMap { $0 }
        let standard = known?.special ?? [:]
        names = try SpecialTokenNames(
            files.reversed(), standard: kind == nil ? [:] : known == nil ? pieces?.roles ?? [:] : standard)
        // The class of Marian reads no tokenizer.json, and adds nothing to one.
        try readNamed(files, standard: kind == nil && known?.files == .translation ? [:] : standard)
        if let listed = try configuration.optionalObject("added_tokens_decoder") {
            for (key, token) in listed {
                guard let id = Int(key) else { throw listed.unexpected(key, expected: "an id as the key") }
                addedTokens.append(
                    try AddedToken(sparse: token.requireObject(), id: try Self.id(id, key, listed), isSpecial: false))
            }
        }
        let listed = older ?? JSONObject()
        let special = Set(namedTokens.map { ExactString($0.content) })
        for (content, _) in listed {
            let isSpecial = special.contains(ExactString(content))
            var token = AddedToken(
                content: content, id: try Self.id(try listed.int(content), content, listed), isSpecial: isSpecial)
            token.isNormalized = !isSpecial
            addedTokens.append(token)
        }
        addedTokens.sort { $0.id < $1.id }
    }

    private static func id(_ id: Int, _ key: String, _ file: JSONObject) throws(GraftError) -> Int32 {
        guard (0...Vocabulary.maximumID).contains(id) else {
            throw file.unexpected(key, expected: "an id from 0 to \(Vocabulary.maximumID)")
        }
        return Int32(id)
    }

    private static func tokenizerClass(
        _ configuration: JSONObject, model: JSONObject
    ) throws(GraftError) -> String? {
        var name = try configuration.optionalString("tokenizer_class")
        if name == nil { name = try model.optionalString("tokenizer_class") }
        if name == nil, model["model_type"] == "bert" { name = "BertTokenizer" }
        if name == nil, model["model_type"] == "marian" { name = marianClass }
        // Settings that only BERT's classes have.
        let ofBert = ["do_lower_case", "strip_accents", "tokenize_chinese_chars"]
        if name == nil, model["model_type"] == nil, ofBert.contains(where: { configuration[$0] != nil }) {
            name = "BertTokenizer"
        }
        guard let name, !plainClasses.contains(name), name.hasSuffix("Fast") else { return name }
        return String(name.dropLast(4))
    }

    /// - Parameters:
    ///   - files: the one that counts most first.
    ///   - standard: the special tokens that the class has without being told.
    private mutating func readNamed(_ files: [JSONObject], standard: [String: String]) throws(GraftError) {
        let roles = Self.roles + (known?.furtherRoles ?? [])
        for role in roles {
            let file = files.first { $0[role] != nil } ?? JSONObject()
            guard let value = file[role] ?? standard[role].map({ .string($0) }) else { continue }
            guard var token = try Self.named(value, role, file) else { continue }
            if role == "mask_token", value.stringValue != nil { token.stripsLeft = known?.maskStripsLeft ?? false }
            add(token, named: role)
        }
        for file in files.reversed() {
            for (key, value) in file where key.hasSuffix("_token") && !roles.contains(key) {
                if value.stringValue != nil, let token = try Self.named(value, key, file) { add(token, named: key) }
            }
        }
        for key in ["extra_special_tokens", "additional_special_tokens"] {
            guard let file = files.first(where: { $0[key] != nil }), let value = file[key] else { continue }
            switch value {
            case .array(let tokens):
                for value in tokens {
                    if let token = try Self.named(value, key, file) { namedTokens.append(token) }
                }
            case .object(let tokens):
                for (key, value) in tokens {
                    if let token = try Self.named(value, key, tokens) { add(token, named: key) }
                }
            case .null: continue
            default: throw file.unexpected(key, expected: "a list of tokens")
            }
            break
        }
    }

    private mutating func add(_ token: AddedToken, named name: String) {
        namedTokens.append(token)
        namedContents[name] = .string(token.content)
    }

    private static func named(_ value: JSON, _ key: String, _ file: JSONObject) throws(GraftError) -> AddedToken? {
        switch value {
        case .null: return nil
        case .string(let content): return AddedToken(content: content, id: AddedToken.next, isSpecial: true)
        case .object(let token): return try AddedToken(sparse: token, id: AddedToken.next, isSpecial: true)
        default: throw file.unexpected(key, expected: "a token or an object with its content")
        }
    }
}

// MARK: What the settings do to a tokenizer

extension FolderSettings {
    /// Makes the tokenizer of a `tokenizer.json` what the folder says.
    func apply(to parts: inout TokenizerParts) throws(GraftError) {
        if isBert { try applyBert(to: &parts) }
        if isLlama(parts) { try applyLlama(to: &parts) }
        try addTokens(to: &parts)
        try applyPrefixSpace(to: &parts)
        applyMarian(to: &parts)
        try checkEnds(parts)
        try applyDecoding(to: &parts)
    }

    /// Adds the tokens that the folder lists or names and the tokenizer does not list.
    func addTokens(to parts: inout TokenizerParts) throws(GraftError) {
        try refuse("split_special_tokens", if: true, because: "special tokens are found in a text")
        let known = Set(parts.addedTokens)
        parts.addedTokens += addedTokens.filter { !known.contains($0) }
        var contents = Set(parts.addedTokens.map { ExactString($0.content) })
        for token in namedTokens where contents.insert(ExactString(token.content)).inserted {
            parts.addedTokens.append(token)
        }
    }

    /// How BERT's class normalises.
    func bertNormalizer() throws(GraftError) -> BertNormalizer {
        try refuse("do_basic_tokenize", if: false, because: "text is split into words first")
        let lowercases = try configuration.optionalBool("do_lower_case") ?? true
        return BertNormalizer(
            cleansText: true,
            separatesChinese: try configuration.optionalBool("tokenize_chinese_chars") ?? true,
            stripsAccents: try configuration.optionalBool("strip_accents") ?? lowercases,
            lowercases: lowercases)
    }

    /// BERT's classes are built anew from the vocabulary, so a `tokenizer.json` may differ only in
    /// what they set.
    private func applyBert(to parts: inout TokenizerParts) throws(GraftError) {
        let model = parts.model as? WordPiece
        let decoder = parts.decoders?.first as? WordPieceDecoder
        let special = BertProcessing(
            separator: parts.id(of: names["sep_token"]) ?? -1, classification: parts.id(of: names["cls_token"]) ?? -1)
        let standard: [(part: String, isAsExpected: Bool)] = [
            ("model", model?.isStandard(unknownToken: names["unk_token"]) ?? false),
            (
                "normalizer",
                parts.normalizers.count == 1 && (parts.normalizers[0] as? BertNormalizer)?.cleansText == true
            ),
            ("pre_tokenizer", parts.preTokenizers.count == 1 && parts.preTokenizers[0] is BertPreTokenizer),
            ("post_processor", parts.arranges(as: special)),
            ("decoder", parts.decoders?.count == 1 && decoder?.isStandard == true),
        ]
        if let (part, _) = standard.first(where: { !$0.isAsExpected }) {
            throw GraftError(
                .unsupported,
                "\(source): tokenizer_class is \(tokenizerClass ?? ""), but the \(part) of tokenizer.json is another than "
                    + "that class has: expected PreTrainedTokenizerFast, or BERT's own \(part)")
        }
        parts.normalizers = [try bertNormalizer()]
    }

    /// Llama's class takes a tokenizer of bytes as it is.
    private func isLlama(_ parts: TokenizerParts) -> Bool {
        let isOfBytes =
            parts.preTokenizers.contains { $0 is ByteLevelPreTokenizer }
            || parts.decoders?.contains { $0 is ByteLevelDecoder } ?? false
        return tokenizerClass == "LlamaTokenizer" && !isOfBytes
    }

    /// Llama's class is built anew from vocabulary and merges: a mark for a space before the text,
    /// bytes for what is unknown.
    private func applyLlama(to parts: inout TokenizerParts) throws(GraftError) {
        guard let model = parts.model as? BytePairEncoding, model.isPlainWithBytes else {
            throw GraftError(
                .unsupported,
                "\(source): tokenizer_class is LlamaTokenizer, but the model of tokenizer.json is another than that class "
                    + "has: expected PreTrainedTokenizerFast, or byte-pair encoding that falls back to all 256 bytes")
        }
        let isPrepended = try configuration.optionalBool("add_prefix_space") ?? true
        let isLegacy = try configuration.optionalBool("legacy") ?? false
        parts.normalizers = []
        try TokenizerClass.markText(
            &parts, isPrepended ? isLegacy ? "always" : "first" : "never", dropsFirst: isPrepended)
    }

    /// Marian's class itself ends a text with the token that its models read as the end.
    private func applyMarian(to parts: inout TokenizerParts) {
        guard tokenizerClass == Self.marianClass, parts.postProcessors.isEmpty,
            let end = parts.id(of: names["eos_token"] ?? "</s>")
        else { return }
        let (first, last) = (EncodingPart.sequence(0, typeID: 0), EncodingPart.special(id: end, typeID: 0))
        parts.postProcessors = [
            TemplateProcessing(single: [first, last], pair: [first, .sequence(1, typeID: 0), last])
        ]
    }

    private func applyPrefixSpace(to parts: inout TokenizerParts) throws(GraftError) {
        let wanted = try configuration.optionalBool("add_prefix_space")
        if tokenizerClass == "GPT2Tokenizer", parts.preTokenizers.count == 1,
            let words = parts.preTokenizers[0] as? ByteLevelPreTokenizer
        {
            parts.preTokenizers = [words.addingPrefixSpace(wanted ?? false)]
            return
        }
        guard let wanted, let added = parts.addsPrefixSpace, added != wanted else { return }
        throw contradiction("add_prefix_space", wanted, "puts \(added ? "a" : "no") space before the text")
    }

    private func checkEnds(_ parts: TokenizerParts) throws(GraftError) {
        guard let tokenizerClass, tokenizerClass.hasSuffix("LlamaTokenizer") else { return }
        let arranged = parts.arranged([.sequence(0, typeID: 0)])
        for (key, role, token) in [
            ("add_bos_token", "bos_token", arranged.first), ("add_eos_token", "eos_token", arranged.last),
        ] {
            guard let wanted = try configuration.optionalBool(key), let id = parts.id(of: names[role]) else { continue }
            let isAdded = token == .special(id: id, typeID: 0)
            if isAdded != wanted { throw contradiction(key, wanted, "adds \(isAdded ? "one" : "none")") }
        }
    }

    func applyDecoding(to parts: inout TokenizerParts) throws(GraftError) {
        try refuse(
            "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", if: true,
            because: "text of byte-pair encoding is decoded as it is")
        try refuse("fix_mistral_regex", if: true, because: "words are split as tokenizer.json says")
        let cleansUp = try configuration.optionalBool("clean_up_tokenization_spaces") ?? false
        parts.cleansUp = cleansUp && !(parts.model is BytePairEncoding || parts.model is SentencePieceMerging)
    }

    private func refuse(_ key: String, if value: Bool, because reason: String) throws(GraftError) {
        guard try configuration.optionalBool(key) == value else { return }
        throw GraftError(.unsupported, "\(source): \(key) is \(value), which is not supported: \(reason)")
    }

    private func contradiction(_ key: String, _ value: Bool, _ found: String) -> GraftError {
        GraftError(
            .unsupported,
            "\(source): \(key) is \(value), but tokenizer.json \(found), and releases of transformers differ in which they "
                + "follow: make the two agree")
    }
}

extension TokenizerParts {
    func id(of name: String?) -> Int32? {
        guard let name else { return nil }
        return model.vocabulary.id(of: name) ?? addedTokens.last { $0.content == name }?.id
    }

    fileprivate func arranged(_ parts: [EncodingPart]) -> [EncodingPart] {
        postProcessors.reduce(parts) { $1.arrange($0, addsSpecialTokens: true) }
    }

    fileprivate func arranges(as other: some PostProcessor) -> Bool {
        let single: [EncodingPart] = [.sequence(0, typeID: 0)]
        let pair = single + [.sequence(1, typeID: 1)]
        return [single, pair].allSatisfy { arranged($0) == other.arrange($0, addsSpecialTokens: true) }
    }

    /// Whether a space, or a mark for one, is put before a text; nil where no stage would.
    fileprivate var addsPrefixSpace: Bool? {
        for stage in preTokenizers {
            if let words = stage as? ByteLevelPreTokenizer { return words.addsPrefixSpace }
            if let words = stage as? Metaspace { return words.addsPrefixSpace }
        }
        return normalizers.contains { $0 is PrependNormalizer } ? true : nil
    }
}
