import GraftFormats
import GraftTensor

/// The stages around the models of classes.
extension TokenizerClass {
    /// BERT's words.
    static let bertWords: Surroundings = { (settings, _, parts) throws(GraftError) in
        parts.normalizers = [try settings.bertNormalizer()]
        parts.preTokenizers = [BertPreTokenizer()]
        parts.decoders = [WordPieceDecoder(prefix: "##", cleansUp: true)]
    }

    /// GPT-2's words, spelled byte by byte.
    static let byteWords: Surroundings = { (settings, _, parts) throws(GraftError) in
        let addsSpace = try settings.configuration.optionalBool("add_prefix_space") ?? false
        parts.preTokenizers = try Stages.preTokenizers(["type": "ByteLevel", "add_prefix_space": .bool(addsSpace)])
        parts.decoders = [ByteLevelDecoder()]
    }

    /// The same of composed characters.
    static let composedByteWords: Surroundings = { (settings, map, parts) throws(GraftError) in
        try byteWords(settings, map, &parts)
        parts.normalizers = [UnicodeNormalizer(.nfc)]
    }

    /// The same with single digits, and line breaks by themselves.
    static let qwenWords: Surroundings = { (settings, map, parts) throws(GraftError) in
        try composedByteWords(settings, map, &parts)
        let addsSpace = try settings.configuration.optionalBool("add_prefix_space") ?? false
        let words =
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        parts.preTokenizers = try Stages.preTokenizers([
            "type": "Sequence",
            "pretokenizers": [
                ["type": "Split", "pattern": ["Regex": .string(words)], "behavior": "Isolated", "invert": false],
                ["type": "ByteLevel", "add_prefix_space": .bool(addsSpace), "use_regex": false],
            ],
        ])
    }

    /// Words between white space, with a mark before each.
    static let markedWords: Surroundings = { (settings, _, parts) throws(GraftError) in
        try mark(&parts, try settings.configuration.optionalBool("add_prefix_space") ?? true ? "always" : "never")
        parts.preTokenizers.insert(CharacterPreTokenizer.whitespace(), at: 0)
    }

    /// The same, with plain quotation marks, in lower case and without accents where nothing says
    /// otherwise.
    static let albertWords: Surroundings = { (settings, map, parts) throws(GraftError) in
        try markedWords(settings, map, &parts)
        parts.normalizers = try Stages.normalizers([
            "type": "Sequence",
            "normalizers": [
                ["type": "Replace", "pattern": ["String": "``"], "content": "\""],
                ["type": "Replace", "pattern": ["String": "''"], "content": "\""],
            ],
        ])
        if try settings.configuration.optionalBool("keep_accents") != true {
            parts.normalizers += [UnicodeNormalizer(.nfkd), CharacterNormalizer.stripAccents()] as [any Normalizer]
        }
        if try settings.configuration.optionalBool("do_lower_case") ?? true {
            parts.normalizers.append(CharacterNormalizer.lowercase())
        }
        if let map { parts.normalizers.append(PrecompiledNormalizer(map)) }
    }

    /// Composed characters, white space as one space, and words with a mark before each.
    static let debertaWords: Surroundings = { (settings, _, parts) throws(GraftError) in
        let configuration = settings.configuration
        parts.normalizers = try Stages.normalizers([
            "type": "Sequence",
            "normalizers": [
                ["type": "Replace", "pattern": ["Regex": #"\s{2,}|[\n\r\t]"#], "content": " "], ["type": "NFC"],
                ["type": "Strip", "strip_left": false, "strip_right": true],
            ],
        ])
        if try configuration.optionalBool("do_lower_case") ?? false {
            parts.normalizers.insert(CharacterNormalizer.lowercase(), at: 0)
        }
        try mark(&parts, try configuration.optionalBool("add_prefix_space") ?? true ? "always" : "first")
        if try configuration.optionalBool("split_by_punct") ?? false {
            parts.preTokenizers =
                try Stages.preTokenizers(["type": "Punctuation", "behavior": "Isolated"]) + parts.preTokenizers
        }
    }

    /// A text with marks for spaces, and bytes for what is unknown.
    static let codeLlamaText: Surroundings = { (settings, _, parts) throws(GraftError) in
        let isPrepended = try settings.configuration.optionalBool("add_prefix_space") ?? true
        try markText(&parts, isPrepended ? "first" : "never", dropsFirst: true)
    }

    /// - Parameters:
    ///   - scheme: where a mark is put before a text: `always`, `first` or `never`.
    ///   - dropsFirst: as of `Stages.decodersOfMarks`.
    static func markText(_ parts: inout TokenizerParts, _ scheme: JSON, dropsFirst: Bool) throws(GraftError) {
        parts.preTokenizers = try Stages.preTokenizers([
            "type": "Metaspace", "replacement": "▁", "split": false, "prepend_scheme": scheme,
        ])
        parts.decoders = try Stages.decodersOfMarks(dropsFirst: dropsFirst)
    }

    private static func mark(_ parts: inout TokenizerParts, _ scheme: JSON) throws(GraftError) {
        let marks: JSON = ["type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme]
        parts.preTokenizers = try Stages.preTokenizers(marks)
        parts.decoders = try Stages.decoders(marks)
    }
}
