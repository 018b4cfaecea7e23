import GraftFormats
import GraftTensor

/// The tokens in a GGUF file, and what its metadata says of each.
struct GGUFTokens {
    private(set) var vocabulary: Vocabulary
    private(set) var addedTokens: [AddedToken] = []
    let header: GGUFHeader

    /// - Parameter spelled: how a token of the file is spelled in the vocabulary.
    init(
        _ file: GGUFFile, spelled: (UnsafeBufferPointer<UInt8>) -> [UInt8]? = { _ in nil }
    ) throws(GraftError) {
        let (header, path) = (file.header, file.path)
        self.header = header
        guard let count = file.header.count(of: "tokenizer.ggml.tokens"), count <= Vocabulary.maximumID + 1 else {
            throw header.unexpected(
                "tokenizer.ggml.tokens", expected: "a list of at most \(Vocabulary.maximumID + 1) texts")
        }
        let kinds = try file.numbers(of: "tokenizer.ggml.token_type")
        if let kinds, kinds.count != count {
            throw GraftError(
                .corruptFile,
                "\(path): there are \(count) tokenizer.ggml.tokens and \(kinds.count) tokenizer.ggml.token_type")
        }
        try Memory.require(32 * count, to: "reading the tokens of \(path)")
        var vocabulary = Vocabulary(count: count)
        var added: [AddedToken] = []
        try file.forEachText(of: "tokenizer.ggml.tokens") { (id, text) throws(GraftError) in
            guard UTF8Validation.firstInvalid(text) == nil else {
                throw GraftError(.corruptFile, "\(path): token \(id) is not UTF-8")
            }
            if let spelling = spelled(text) {
                try spelling.withUnsafeBufferPointer { (text) throws(GraftError) in
                    try vocabulary.add(text, id: id, isListed: true)
                }
            } else {
                try vocabulary.add(text, id: id, isListed: true)
            }
            let kind = (kinds?[id]).flatMap { Int(exactly: $0) }.flatMap(PieceKind.init)
            if kind == .unknown || kind == .control || kind == .userDefined {
                added.append(
                    AddedToken(
                        content: String(decoding: text, as: UTF8.self), id: Int32(id), isSpecial: kind != .userDefined))
            }
        }
        self.vocabulary = vocabulary
        // Of two tokens that read alike the first is found.
        addedTokens = added.filter { vocabulary.id(of: $0.content) == $0.id }
    }

    /// The token that plays a part, such as "bos"; nil where the file names none.
    func id(_ role: String) throws(GraftError) -> Int32? {
        let key = "tokenizer.ggml.\(role)_token_id"
        guard let id = try header.optionalInt(key) else { return nil }
        guard id >= 0, id <= vocabulary.largestID else {
            throw header.unexpected(key, expected: "the id of one of \(vocabulary.largestID + 1) tokens")
        }
        return Int32(id)
    }

    func text(_ role: String) throws(GraftError) -> String? { try id(role).flatMap { vocabulary.token($0) } }

    /// How the special tokens are spelled.
    func named() throws(GraftError) -> JSONObject {
        var names = JSONObject()
        for (name, role) in [
            ("pad_token", "padding"), ("unk_token", "unknown"), ("cls_token", "cls"), ("sep_token", "seperator"),
            ("mask_token", "mask"), ("bos_token", "bos"), ("eos_token", "eos"),
        ] {
            if let text = try text(role) { names[name] = .string(text) }
        }
        return names
    }

    /// Puts the tokens that begin and end a text around it, where the file says so.
    ///
    /// - Parameter addsBeginning: whether one begins it where the file does not say.
    func ends(addsBeginning: Bool) throws(GraftError) -> [any PostProcessor] {
        let begins = try header.optionalBool("tokenizer.ggml.add_bos_token") ?? addsBeginning
        let finishes = try header.optionalBool("tokenizer.ggml.add_eos_token") ?? false
        let beginning = begins ? try id("bos") : nil
        let end = finishes ? try id("eos") : nil
        guard beginning != nil || end != nil else { return [] }
        func around(_ sequence: Int, typeID: Int32) -> [EncodingPart] {
            [
                beginning.map { .special(id: $0, typeID: typeID) }, .sequence(sequence, typeID: typeID),
                end.map { .special(id: $0, typeID: typeID) },
            ].compactMap { $0 }
        }
        return [
            TemplateProcessing(single: around(0, typeID: 0), pair: around(0, typeID: 0) + around(1, typeID: 1))
        ]
    }
}
