import GraftFormats
import GraftTensor

/// One entry of `added_tokens`: a token that is found in the text before the model sees it.
struct AddedToken: Hashable, Sendable {
    var content: String
    var id: Int32
    /// Skipped when decoding without special tokens.
    var isSpecial = false
    /// Matches only where no word character touches it.
    var isSingleWord = false
    /// Takes the white space before it along.
    var stripsLeft = false
    /// Takes the white space after it along.
    var stripsRight = false
    /// Is looked for in the normalised text, in its own normalised form.
    var isNormalized = false
    /// Is looked for at all.
    var isFound = true

    /// In place of the id of a token that gets the next one if the vocabulary lacks it.
    static let next: Int32 = -1

    init(content: String, id: Int32, isSpecial: Bool) {
        self.content = content
        self.id = id
        self.isSpecial = isSpecial
    }

    init(_ settings: JSONObject) throws(GraftError) {
        content = try settings.string("content")
        let id = try settings.int("id")
        guard (0...Vocabulary.maximumID).contains(id) else {
            throw settings.unexpected("id", expected: "0 to \(Vocabulary.maximumID)")
        }
        self.id = Int32(id)
        isSpecial = try settings.bool("special")
        isSingleWord = try settings.bool("single_word")
        stripsLeft = try settings.bool("lstrip")
        stripsRight = try settings.bool("rstrip")
        isNormalized = try settings.bool("normalized")
    }

    /// A token as configuration files beside `tokenizer.json` write it: what is missing is false,
    /// but for `normalized`, which special tokens are not.
    ///
    /// - Parameter isSpecial: whether it is special even where nothing says so.
    init(sparse settings: JSONObject, id: Int32, isSpecial: Bool) throws(GraftError) {
        content = try settings.string("content")
        self.id = id
        self.isSpecial = try settings.optionalBool("special") ?? false || isSpecial
        isSingleWord = try settings.optionalBool("single_word") ?? false
        stripsLeft = try settings.optionalBool("lstrip") ?? false
        stripsRight = try settings.optionalBool("rstrip") ?? false
        isNormalized = try settings.optionalBool("normalized") ?? !self.isSpecial
    }
}

/// The added tokens of a tokenizer, found in text and by id.
struct AddedTokens: Sendable {
    /// In the order of the file.
    private(set) var tokens: [AddedToken] = []
    private var indexByID: [Int32: Int] = [:]
    private var idByContent: [[UInt8]: Int32] = [:]
    /// What a token reads when decoding: its normalised form, if it has one.
    private var decodedText: [[UInt8]] = []
    private var specialContents: Set<[UInt8]> = []
    private var literal: AddedTokenMatcher?
    private var normalized: AddedTokenMatcher?

    /// - Parameters:
    ///   - entries: as in the file; of entries with one content the last counts.
    ///   - normalize: brings text into the form in which normalised tokens are looked for.
    init(
        _ entries: [AddedToken], vocabulary: Vocabulary, source: String,
        normalize: ([UInt8]) throws(GraftError) -> [UInt8]
    ) throws(GraftError) {
        var nextID = vocabulary.count
        for entry in entries where !entry.content.isEmpty {
            try Memory.check()
            let content = Array(entry.content.utf8)
            let known = idByContent[content] ?? vocabulary.id(of: entry.content)
            let id = known ?? Int32(truncatingIfNeeded: nextID)
            // Hugging Face's loader counts on from the vocabulary and goes by the content, whatever
            // id is written.
            guard known != nil || id == entry.id || entry.id == AddedToken.next else {
                throw GraftError(
                    .corruptFile,
                    "\(source): the added token \"\(entry.content)\" has the id \(entry.id), "
                        + "expected the next one after the vocabulary, \(id)")
            }
            if known == nil { nextID += 1 }
            var token = entry
            token.id = id
            if let index = indexByID[id] {
                tokens[index] = token
            } else {
                indexByID[id] = tokens.count
                tokens.append(token)
            }
            idByContent[content] = id
            if token.isSpecial { specialContents.insert(content) }
        }
        for token in tokens {
            try Memory.check()
            let content = Array(token.content.utf8)
            let text = token.isNormalized ? try normalize(content) : content
            guard !text.isEmpty else {
                throw GraftError(
                    .unsupported,
                    "\(source): the normalizer leaves nothing of the added token \"\(token.content)\", which is found in "
                        + "normalised text: expected it to leave something, or \"normalized\": false")
            }
            decodedText.append(text)
        }
        let found = zip(tokens, decodedText).filter(\.0.isFound)
        literal = AddedTokenMatcher(found.filter { !$0.0.isNormalized }.map { ($0.1, $0.0) })
        normalized = AddedTokenMatcher(found.filter(\.0.isNormalized).map { ($0.1, $0.0) })
    }

    /// Takes the tokens that stand in the original text out of it.
    func divideOriginal(_ text: inout WorkingText) throws(GraftError) {
        try literal?.divide(&text)
    }

    /// Takes the tokens that stand in the normalised text out of it.
    func divideNormalized(_ text: inout WorkingText) throws(GraftError) {
        try normalized?.divide(&text)
    }

    func id(of content: String) -> Int32? { idByContent[Array(content.utf8)] }

    func token(_ id: Int32) -> AddedToken? { indexByID[id].map { tokens[$0] } }

    /// The bytes a token reads when decoding, and whether it is skipped without special tokens.
    func decoded(_ id: Int32) -> (text: [UInt8], isSpecial: Bool)? {
        guard let index = indexByID[id] else { return nil }
        let text = decodedText[index]
        return (text, specialContents.contains(text))
    }

    /// Whether a token of the vocabulary has the text of a special token.
    func isSpecial(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        !specialContents.isEmpty && specialContents.contains(Array(text))
    }
}
