import GraftFormats
import GraftTensor

/// Every stage that a `tokenizer.json` can name. A new stage is one file and one line here.
enum Stages {
    private typealias Make<Stage> = @Sendable (JSONObject) throws(GraftError) -> Stage

    private static let normalizers: [(type: String, make: Make<any Normalizer>)] = [
        ("BertNormalizer", { (settings) throws(GraftError) in try BertNormalizer(settings) }),
        ("NFC", { (_) throws(GraftError) in UnicodeNormalizer(.nfc) }),
        ("NFD", { (_) throws(GraftError) in UnicodeNormalizer(.nfd) }),
        ("NFKC", { (_) throws(GraftError) in UnicodeNormalizer(.nfkc) }),
        ("NFKD", { (_) throws(GraftError) in UnicodeNormalizer(.nfkd) }),
        ("Lowercase", { (_) throws(GraftError) in CharacterNormalizer.lowercase() }),
        ("StripAccents", { (_) throws(GraftError) in CharacterNormalizer.stripAccents() }),
        ("Precompiled", { (settings) throws(GraftError) in try PrecompiledNormalizer(settings) }),
        ("Nmt", { (_) throws(GraftError) in CharacterNormalizer.machineTranslation() }),
        ("Strip", { (settings) throws(GraftError) in try StripNormalizer(settings) }),
        ("Replace", { (settings) throws(GraftError) in try ReplaceNormalizer(settings) }),
        ("Prepend", { (settings) throws(GraftError) in try PrependNormalizer(settings) }),
        ("ByteLevel", { (_) throws(GraftError) in ByteLevelNormalizer() }),
    ]

    private static let preTokenizers: [(type: String, make: Make<any PreTokenizer>)] = [
        ("BertPreTokenizer", { (_) throws(GraftError) in BertPreTokenizer() }),
        ("ByteLevel", { (settings) throws(GraftError) in try ByteLevelPreTokenizer(settings) }),
        ("Metaspace", { (settings) throws(GraftError) in try Metaspace(settings) }),
        ("Split", { (settings) throws(GraftError) in try SplitPreTokenizer(settings) }),
        ("Digits", { (settings) throws(GraftError) in try CharacterPreTokenizer.digits(settings) }),
        ("Punctuation", { (settings) throws(GraftError) in try CharacterPreTokenizer.punctuation(settings) }),
        ("Whitespace", { (_) throws(GraftError) in WhitespacePreTokenizer() }),
        ("WhitespaceSplit", { (_) throws(GraftError) in CharacterPreTokenizer.whitespace() }),
        ("CharDelimiterSplit", { (settings) throws(GraftError) in try CharacterPreTokenizer.delimiter(settings) }),
        ("UnicodeScripts", { (_) throws(GraftError) in ScriptPreTokenizer() }),
        ("FixedLength", { (settings) throws(GraftError) in try FixedLengthPreTokenizer(settings) }),
    ]

    private static let postProcessors: [(type: String, make: Make<any PostProcessor>)] = [
        ("TemplateProcessing", { (settings) throws(GraftError) in try TemplateProcessing(settings) }),
        ("BertProcessing", { (settings) throws(GraftError) in try BertProcessing(settings) }),
        ("RobertaProcessing", { (settings) throws(GraftError) in try RobertaProcessing(settings) }),
        ("ByteLevel", { (settings) throws(GraftError) in try ByteLevelProcessing(settings) }),
    ]

    private static let decoders: [(type: String, make: Make<any TokenDecoder>)] = [
        ("WordPiece", { (settings) throws(GraftError) in try WordPieceDecoder(settings) }),
        ("ByteLevel", { (_) throws(GraftError) in ByteLevelDecoder() }),
        ("ByteFallback", { (_) throws(GraftError) in ByteFallbackDecoder() }),
        ("Metaspace", { (settings) throws(GraftError) in try Metaspace(settings) }),
        ("CTC", { (settings) throws(GraftError) in try CTCDecoder(settings) }),
        ("BPEDecoder", { (settings) throws(GraftError) in try BPEDecoder(settings) }),
        ("Fuse", { (_) throws(GraftError) in FuseDecoder() }),
        ("Strip", { (settings) throws(GraftError) in try StripDecoder(settings) }),
        ("Replace", { (settings) throws(GraftError) in try ReplaceDecoder(settings) }),
    ]

    private static let models: [(type: String, make: @Sendable (ModelFile) throws(GraftError) -> any TokenModel)] = [
        ("WordPiece", { (file) throws(GraftError) in try WordPiece(file.settings, vocabulary: file.vocabulary) }),
        ("BPE", { (file) throws(GraftError) in try BytePairEncoding(file) }),
        ("WordLevel", { (file) throws(GraftError) in try WordLevel(file) }),
        ("Unigram", { (file) throws(GraftError) in try Unigram(file) }),
    ]

    static func normalizers(_ value: JSON) throws(GraftError) -> [any Normalizer] {
        try stages(value, "normalizer", normalizers, sequenceKey: "normalizers")
    }

    static func preTokenizers(_ value: JSON) throws(GraftError) -> [any PreTokenizer] {
        try stages(value, "pre-tokenizer", preTokenizers, sequenceKey: "pretokenizers")
    }

    static func postProcessors(_ value: JSON) throws(GraftError) -> [any PostProcessor] {
        try stages(value, "post-processor", postProcessors, sequenceKey: "processors")
    }

    static func decoders(_ value: JSON) throws(GraftError) -> [any TokenDecoder] {
        try stages(value, "decoder", decoders, sequenceKey: "decoders")
    }

    /// Of texts whose spaces have marks, and whose unknown characters are bytes.
    ///
    /// - Parameter dropsFirst: whether a text that tokens begin with a space has none.
    static func decodersOfMarks(dropsFirst: Bool) throws(GraftError) -> [any TokenDecoder] {
        try decoders([
            "type": "Sequence",
            "decoders": [
                ["type": "Replace", "pattern": ["String": "▁"], "content": " "], ["type": "ByteFallback"],
                ["type": "Fuse"], ["type": "Strip", "content": " ", "start": dropsFirst ? 1 : 0, "stop": 0],
            ],
        ])
    }

    static func model(_ file: ModelFile) throws(GraftError) -> any TokenModel {
        let type = try file.type()
        guard let (_, make) = models.first(where: { $0.type == type }) else {
            throw unknown("model", type, models.map(\.type))
        }
        guard file.scores == nil || type == "Unigram" else {
            throw GraftError(
                .corruptFile, "\(file.source): model.vocab: expected an object of tokens with their ids, found a list")
        }
        return try make(file)
    }

    /// The stages of a member of the file, in order: none for null, those inside for a sequence.
    private static func stages<Stage>(
        _ value: JSON, _ kind: String, _ known: [(type: String, make: Make<Stage>)], sequenceKey: String
    ) throws(GraftError) -> [Stage] {
        if value.isNull { return [] }
        let settings = try value.requireObject()
        let type = try settings.string("type")
        if type == "Sequence" {
            var stages: [Stage] = []
            for inner in try settings.array(sequenceKey) {
                guard !inner.isNull else { throw settings.unexpected(sequenceKey, expected: "a list of \(kind)s") }
                stages += try self.stages(inner, kind, known, sequenceKey: sequenceKey)
            }
            return stages
        }
        guard let (_, make) = known.first(where: { $0.type == type }) else {
            throw unknown(kind, type, known.map(\.type))
        }
        return [try make(settings)]
    }

    private static func unknown(_ kind: String, _ type: String, _ known: [String]) -> GraftError {
        GraftError(
            .unsupported,
            "the \(kind) \"\(type)\" is not supported: expected one of \(known.joined(separator: ", "))")
    }
}
