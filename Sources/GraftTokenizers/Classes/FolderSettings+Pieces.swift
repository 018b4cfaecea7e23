import GraftFormats
import GraftTensor

/// A tokenizer from a file of SentencePiece. Its pieces' ids are as the class has them; without a
/// class they are those of the file.
extension FolderSettings {
    /// - Returns: The added tokens beside: control pieces, which are special, and which a class
    ///   finds in a text and SentencePiece itself does not; for `tokenizers` user-defined ones too.
    func pieceParts(
        _ file: SentencePieceFile, _ known: TokenizerClass?
    ) throws(GraftError) -> (parts: TokenizerParts, added: [AddedToken]) {
        let pieces = try SentencePieceVocabulary(file, try listed(file, known))
        var added: [AddedToken] = []
        let isOwn = known?.pieces ?? .sentencePiece == .sentencePiece
        for id in pieces.kinds.indices
        where pieces.kinds[id] == .control || !isOwn && pieces.kinds[id] == .userDefined {
            var token = AddedToken(
                content: pieces.words.token(Int32(id)) ?? "", id: Int32(id), isSpecial: pieces.kinds[id] == .control)
            token.isFound = known != nil
            added.append(token)
        }
        switch known?.pieces {
        case nil, .sentencePiece: return (try sentencePieceParts(file, pieces, known), added)
        case .unigram:
            try require(file, file.isUnigram, "model_type 1 (Unigram)")
            if let unknown = known?.unknownID {
                try require(file, pieces.unknown == unknown, "the unknown piece as piece \(unknown)")
            }
            let model = try Unigram(
                vocabulary: pieces.words, scores: pieces.scores.map(Double.init), unknown: pieces.unknown)
            return (TokenizerParts(model: model), added)
        case .bytePairs:
            try require(file, !file.isUnigram, "model_type 2 (byte-pair encoding)")
            let model = BytePairEncoding(
                vocabulary: pieces.words, merges: try MergeTable(inOrderOf: pieces.words),
                unknownToken: names["unk_token"], fusesUnknown: true, fallsBackToBytes: true)
            return (TokenizerParts(model: model), added)
        }
    }

    private func require(_ file: SentencePieceFile, _ isSo: Bool, _ expected: String) throws(GraftError) {
        guard !isSo else { return }
        throw GraftError(.incompatible, "\(file.source): expected \(expected), as \(tokenizerClass ?? "") has it")
    }

    /// What SentencePiece itself does.
    func sentencePieceParts(
        _ file: SentencePieceFile, _ pieces: SentencePieceVocabulary, _ known: TokenizerClass?
    ) throws(GraftError) -> TokenizerParts {
        var userDefined: PieceFinder?
        if pieces.kinds.contains(.userDefined) {
            userDefined = try PieceFinder(pieces.words) { pieces.kinds[Int($0)] == .userDefined }
        }
        let model: any TokenModel =
            try file.isUnigram ? SentencePieceUnigram(pieces) : SentencePieceMerging(pieces, userDefined: userDefined)
        var parts = TokenizerParts(model: model)
        parts.normalizers = [SentencePieceNormalizer(file, prefix: try prefix(known), userDefined: userDefined)]
        if pieces.fallsIntoWords(mark: file.spaceMark, marksEnds: file.marksEnds) {
            parts.preTokenizers = [SentencePieceWords(mark: file.spaceMark, marksEnds: file.marksEnds)]
        }
        parts.decoders = [SentencePieceDecoder(file, showsUnknown: known == nil)]
        return parts
    }

    /// The tokens in the order of their ids.
    private func listed(
        _ file: SentencePieceFile, _ known: TokenizerClass?
    ) throws(GraftError) -> [SentencePieceVocabulary.Listed] {
        let pieces = file.pieces.indices.map { SentencePieceVocabulary.Listed.piece($0) }
        if let fairseq = known?.fairseq {
            let first = file.pieces.prefix(3)
            guard first.count == 3, file.unknown < 3, !first.contains(where: \.kind.isText) else {
                throw GraftError(
                    .incompatible,
                    "\(file.source): expected <unk>, <s> and </s> as the first three pieces, as in fairseq")
            }
            // The last of these is the unknown one.
            let known = fairseq.beginning.dropLast().map { SentencePieceVocabulary.Listed.added($0, .control) }
            let unknown = fairseq.beginning.suffix(1).map { SentencePieceVocabulary.Listed.added($0, .unknown) }
            return known + unknown + pieces.dropFirst(3) + fairseq.end.map { .added($0, .control) }
        }
        guard let known, known.extraCount > 0 else { return pieces }
        let count = try configuration.optionalInt("extra_ids") ?? known.extraCount
        guard (0...(1 << 16)).contains(count) else {
            throw configuration.unexpected("extra_ids", expected: "0 to \(1 << 16)")
        }
        let given = try configuration.optionalArray("additional_special_tokens") ?? []
        let named = given.count { ($0.stringValue ?? $0["content"]?.stringValue)?.hasPrefix("<extra_id_") == true }
        guard count == 0 || named == 0 || named == count else {
            throw configuration.unexpected(
                "additional_special_tokens", expected: "all \(count) tokens that extra_ids says, or none of them")
        }
        return pieces + (0..<count).reversed().map { .added("<extra_id_\($0)>", .control) }
    }

    private func prefix(_ known: TokenizerClass?) throws(GraftError) -> SentencePieceNormalizer.Prefix {
        guard known?.choosesPrefix == true else { return .always }
        if try configuration.optionalBool("legacy") ?? false { return .always }
        return try configuration.optionalBool("add_prefix_space") ?? true ? .first : .never
    }
}
