import GraftFormats
import GraftTensor

extension Tokenizer {
    /// What a GGUF file says of the tokenizer of a model folder; without one there that there is
    /// none.
    ///
    /// - Parameters:
    ///   - vocabularySize: tokens of the model; those that the tokenizer lacks are unused.
    ///   - endTokens: those that end a text.
    package static func ggufMetadata(
        _ folder: InputFolder, vocabularySize: Int, endTokens: [Int32]
    ) throws(GraftError) -> GGUFMetadata {
        let tokenizer: Tokenizer
        do throws(GraftError) {
            tokenizer = try Tokenizer(folder)
        } catch  where error.code == .notFound {
            var none = GGUFMetadata()
            none.add("tokenizer.ggml.model", .string("no_vocab"))
            return none
        }
        guard tokenizer.largestID < vocabularySize else {
            throw GraftError(
                .incompatible,
                "\(folder.path): the tokenizer has tokens up to \(tokenizer.largestID), and the model has "
                    + "\(vocabularySize)")
        }
        return try tokenizer.ggufMetadata(folder, vocabularySize: vocabularySize, endTokens: endTokens)
    }

    private func ggufMetadata(
        _ folder: InputFolder, vocabularySize: Int, endTokens: [Int32]
    ) throws(GraftError) -> GGUFMetadata {
        var metadata = GGUFMetadata()
        var tokens = (0..<vocabularySize).map { id in
            Array((token(for: Int32(id)) ?? "[PAD\(id)]").utf8)
        }
        switch model {
        case is WordPiece:
            try requireLowercase(folder)
            metadata.add("tokenizer.ggml.model", .string("bert"))
            metadata.add("tokenizer.ggml.pre", .string("default"))
            tokens = tokens.map(Self.wordPieceSpelling)
        case let model as BytePairEncoding:
            let file = try folder.file("tokenizer.json")
            let source = try TokenizerSource(file.bytes, source: file.path)
            if model.isPlainWithBytes {
                try addSentencePiece(to: &metadata, vocabularySize: vocabularySize, source)
            } else {
                let words = try GGUFWords.alike(
                    source.preTokenizer, takesWholeWords: source.takesWholeWords, source: file.path)
                metadata.add("tokenizer.ggml.model", .string("gpt2"))
                metadata.add("tokenizer.ggml.pre", .string(words.names[0]))
                metadata.add("tokenizer.ggml.merges", .strings(try source.merges()))
            }
            withExtendedLifetime(file) {}
        default:
            throw GraftError(
                .unsupported,
                "\(folder.path): no GGUF file holds this kind of tokenizer here: expected WordPiece, or byte-pair encoding "
                    + "of bytes or with tokens for all bytes")
        }
        metadata.add("tokenizer.ggml.tokens", .strings(tokens))
        metadata.add(
            "tokenizer.ggml.token_type", .integers((0..<vocabularySize).map { Int32(kind(Int32($0)).rawValue) }))
        try addRoles(to: &metadata, endTokens, folder)
        chatTemplates.add(to: &metadata)
        return metadata
    }

    private func kind(_ id: Int32) -> PieceKind {
        guard let text = token(for: id) else { return .unused }
        if id == specialTokens.unknown, !(model is WordPiece) { return .unknown }
        if let added = addedTokens.token(id) { return added.isSpecial ? .control : .userDefined }
        let isByte = (model as? BytePairEncoding)?.isPlainWithBytes == true && text.hasPrefix("<0x") && text.count == 6
        return isByte ? .byte : .normal
    }

    /// SentencePiece's: what merges first has the highest score.
    private func addSentencePiece(
        to metadata: inout GGUFMetadata, vocabularySize: Int, _ source: TokenizerSource
    ) throws(GraftError) {
        var scores = [Float](repeating: -1e6, count: vocabularySize)
        try source.forEachMerge { (left, right, rank) throws(GraftError) in
            let result = vocabulary.id(of: String(decoding: Array(left) + Array(right), as: UTF8.self))
            if let result { scores[Int(result)] = max(scores[Int(result)], -Float(rank)) }
        }
        let start = try encode("a", Options(addsSpecialTokens: false)).ids.first.flatMap { token(for: $0) }
        metadata.add("tokenizer.ggml.model", .string("llama"))
        metadata.add("tokenizer.ggml.pre", .string("default"))
        metadata.add("tokenizer.ggml.scores", .floats(scores))
        metadata.add("tokenizer.ggml.add_space_prefix", .bool(start?.hasPrefix("▁") ?? false))
    }

    /// What begins a word is marked, and not what continues it.
    private static func wordPieceSpelling(_ token: [UInt8]) -> [UInt8] {
        if token.starts(with: "##".utf8) { return Array(token.dropFirst(2)) }
        if token.first == UInt8(ascii: "["), token.last == UInt8(ascii: "]") { return token }
        return Array("▁".utf8) + token
    }

    private func requireLowercase(_ folder: InputFolder) throws(GraftError) {
        let normalizer = normalizers.count == 1 ? normalizers[0] as? BertNormalizer : nil
        guard normalizer?.simplifiesLetters == true else {
            throw GraftError(
                .unsupported,
                "\(folder.path): no GGUF file says of a tokenizer of WordPiece that it keeps capital letters")
        }
    }

    /// The tokens that play a part, and those that are put around a text.
    private func addRoles(
        to metadata: inout GGUFMetadata, _ endTokens: [Int32], _ folder: InputFolder
    ) throws(GraftError) {
        let parts = postProcessors.reduce([.sequence(0, typeID: 0)]) { $1.arrange($0, addsSpecialTokens: true) }
        let ids = parts.map { part -> Int32? in
            guard case .special(let id, _) = part else { return nil }
            return id
        }
        let own = specialTokens
        var (beginning, end) = (own.beginning, own.end)
        if model is WordPiece {
            guard ids == [own.classification, nil, own.separator] else {
                throw GraftError(
                    .unsupported,
                    "\(folder.path): no GGUF file says of a tokenizer of WordPiece that it puts other tokens "
                        + "around a text than [CLS] and [SEP]")
            }
        } else {
            guard let place = ids.firstIndex(of: nil), place <= 1, ids.count - place <= 2 else {
                throw GraftError(
                    .unsupported,
                    "\(folder.path): no GGUF file says of a tokenizer that it puts more than one token before "
                        + "or after a text")
            }
            if place == 1 { beginning = ids[0] }
            if place == ids.count - 2 { end = ids[place + 1] }
            metadata.add("tokenizer.ggml.add_bos_token", .bool(place == 1))
            metadata.add("tokenizer.ggml.add_eos_token", .bool(place == ids.count - 2))
        }
        // A text may end with another token than a turn.
        if let known = end, !endTokens.isEmpty, !endTokens.contains(known), !ids.contains(known) { end = nil }
        end = end ?? endTokens.first
        let turnEnds = endTokens.filter { $0 != end }
        for (role, id) in [
            ("bos", beginning), ("eos", end), ("eot", turnEnds.first), ("eom", turnEnds.dropFirst().first),
            ("unknown", own.unknown), ("padding", own.padding), ("seperator", own.separator),
            ("cls", own.classification), ("mask", own.mask),
        ] {
            if let id { metadata.add("tokenizer.ggml.\(role)_token_id", .unsigned32(Int(id))) }
        }
    }
}

/// What a GGUF file takes of a `tokenizer.json` as it stands there.
private struct TokenizerSource {
    private(set) var preTokenizer = JSON.null
    private let model: ModelFile

    var takesWholeWords: Bool { model.settings["ignore_merges"] == true }

    /// - Parameter bytes: which must stay while this is used.
    init(_ bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        var reader = JSONReader(bytes, source: source)
        var found: ModelFile?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key.string {
            case "model": found = try ModelFile(&reader)
            case "pre_tokenizer": preTokenizer = try reader.value("\(source): pre_tokenizer")
            default: try reader.skipValue()
            }
        }
        guard let found else { throw GraftError(.corruptFile, "\(source): expected a member \"model\"") }
        model = found
    }

    func forEachMerge(
        _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>, UInt32) throws(GraftError) -> Void
    ) throws(GraftError) {
        guard let merges = model.merges else { return }
        try MergeTable.forEach(in: merges, source: model.source, body)
    }

    /// Two tokens with a space between, the earliest first.
    func merges() throws(GraftError) -> [[UInt8]] {
        var merges: [[UInt8]] = []
        try forEachMerge { (left, right, _) throws(GraftError) in
            merges.append(Array(left) + [UInt8(ascii: " ")] + Array(right))
        }
        return merges
    }
}
