import GraftFormats
import GraftTensor

/// The `model` of a `tokenizer.json`: its small members as JSON, the huge ones read as they stand
/// in the file.
struct ModelFile {
    private(set) var settings = JSONObject()
    private(set) var vocabulary = Vocabulary()
    /// The bytes of the array of merges; nil without one. Valid as long as the reader's bytes.
    private(set) var merges: UnsafeRawBufferPointer?
    /// Of a vocabulary that is a list, what each token is worth; nil for an object.
    private(set) var scores: [Double]?
    private var hasVocabulary = false
    let source: String

    /// Reads the value that comes next.
    init(_ reader: inout JSONReader) throws(GraftError) {
        source = reader.source
        var known: Set<String> = []
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let name = key.string
            guard known.insert(name).inserted else { throw reader.error("the model has two members called \(name)") }
            switch name {
            case "vocab" where try reader.peekKind() == .object:
                vocabulary = try Self.vocabulary(&reader)
                hasVocabulary = true
            case "vocab" where try reader.peekKind() == .array: (vocabulary, scores) = try Self.scored(&reader)
            case "merges": merges = try reader.skipped()
            default: settings[name] = try reader.value("\(reader.source): model.\(name)")
            }
        }
    }

    /// The model's type; files of old lack it, and tell by their members.
    func type() throws(GraftError) -> String {
        if let type = try settings.optionalString("type") { return type }
        if merges != nil { return "BPE" }
        guard hasVocabulary else { return "Unigram" }
        let isWordPiece =
            settings["continuing_subword_prefix"] != nil || settings["max_input_chars_per_word"] != nil
        return isWordPiece ? "WordPiece" : "WordLevel"
    }

    /// Entries from which the size of a list is guessed.
    private static let seenFirst = 512

    /// A list of tokens with their scores; their places are their ids.
    private static func scored(_ reader: inout JSONReader) throws(GraftError) -> (Vocabulary, [Double]) {
        var vocabulary = Vocabulary(count: seenFirst)
        var scores: [Double] = []
        try reader.beginArray()
        let start = reader.position
        while try reader.nextElement() {
            if scores.count == seenFirst {
                // Files are spaced in several ways. The first entries are shorter than most.
                let factor = (reader.bytes.count - start) / (reader.position - start) + 1
                vocabulary.reserve(times: factor)
                scores.reserveCapacity(factor * scores.count)
            }
            try reader.beginArray()
            let token = try reader.nextElement() ? try reader.readText() : nil
            guard let token, try reader.nextElement() else { throw reader.error("expected a token and its score") }
            let hash = token.isPlain ? vocabulary.expect(token.bytes.bindMemory(to: UInt8.self)) : nil
            scores.append(try reader.readScore())
            if try reader.nextElement() { throw reader.error("expected a token and its score") }
            try token.withUTF8 { (bytes) throws(GraftError) in
                try vocabulary.add(bytes.bindMemory(to: UInt8.self), id: scores.count - 1, isListed: true, hash: hash)
            }
        }
        return (vocabulary, scores)
    }

    /// A file that is an object of tokens with their ids.
    static func vocabulary(of file: MappedFile) throws(GraftError) -> Vocabulary {
        var reader = JSONReader(file.bytes, source: file.path)
        let tokens = try vocabulary(&reader)
        try reader.finish()
        return tokens
    }

    /// An object of tokens with their ids.
    static func vocabulary(_ reader: inout JSONReader) throws(GraftError) -> Vocabulary {
        // An entry takes 16 to 30 bytes in the files there are, and merges after it as much again.
        var vocabulary = Vocabulary(count: (reader.bytes.count - reader.position) / 40)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let hash = key.isPlain ? vocabulary.expect(key.bytes.bindMemory(to: UInt8.self)) : nil
            let id = try reader.readInt()
            try key.withUTF8 { (bytes) throws(GraftError) in
                try vocabulary.add(bytes.bindMemory(to: UInt8.self), id: id, hash: hash)
            }
        }
        return vocabulary
    }
}

extension JSONReader {
    /// The bytes of the value that comes next, which is passed over.
    mutating func skipped() throws(GraftError) -> UnsafeRawBufferPointer {
        let start = position
        try skipValue()
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// The value that comes next.
    mutating func value(_ source: String) throws(GraftError) -> JSON {
        try JSON(parsing: try skipped(), source: source)
    }
}
