import GraftFormats
import GraftTensor

/// A tokenizer from a file of SentencePiece. Between added tokens a text becomes the pieces that
/// SentencePiece itself makes of it, the pieces' ids and what is around them are as the class of
/// transformers has them; without a class they are those of the file.
extension FolderSettings {
    func parts(_ file: SentencePieceFile) throws(GraftError) -> TokenizerParts {
        let known = SentencePieceClass.named(tokenizerClass)
        if known == nil, let tokenizerClass, !Self.plainClasses.contains(tokenizerClass) {
            let names = SentencePieceClass.all.map(\.name).joined(separator: ", ")
            throw GraftError(
                .unsupported,
                "\(file.source): the tokenizer's class is \(tokenizerClass): from a file of SentencePiece only \(names) "
                    + "and tokenizers without a class are supported; in Python, load it with transformers and call "
                    + "save_pretrained, which writes tokenizer.json")
        }
        let listed = try listed(file, known)
        let pieces = try SentencePieceVocabulary(file, listed)
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
        try addTokens(to: &parts)
        addControls(pieces, areFound: known != nil, to: &parts)
        parts.postProcessors = try known.map { (known) throws(GraftError) in try ends(known, parts) } ?? []
        try applyDecoding(to: &parts)
        return parts
    }

    /// The tokens in the order of their ids.
    private func listed(
        _ file: SentencePieceFile, _ known: SentencePieceClass?
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
            return known + unknown + pieces.dropFirst(3) + [.added(fairseq.mask, .control)]
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

    /// Control pieces are special. A class finds them in a text, SentencePiece itself does not.
    private func addControls(
        _ pieces: SentencePieceVocabulary, areFound: Bool, to parts: inout TokenizerParts
    ) {
        // Between tokens that are found nothing is normalised yet.
        for index in parts.addedTokens.indices { parts.addedTokens[index].isNormalized = false }
        let known = Set(parts.addedTokens.map { ExactString($0.content) })
        for id in pieces.kinds.indices where pieces.kinds[id] == .control {
            let content = pieces.words.token(Int32(id)) ?? ""
            guard !known.contains(ExactString(content)) else { continue }
            var control = AddedToken(content: content, id: Int32(id), isSpecial: true)
            control.isFound = areFound
            parts.addedTokens.append(control)
        }
    }

    private func prefix(_ known: SentencePieceClass?) throws(GraftError) -> SentencePieceNormalizer.Prefix {
        guard known?.choosesPrefix == true else { return .always }
        if try configuration.optionalBool("legacy") ?? false { return .always }
        return try configuration.optionalBool("add_prefix_space") ?? true ? .first : .never
    }

    private func ends(_ known: SentencePieceClass, _ parts: TokenizerParts) throws(GraftError) -> [any PostProcessor] {
        func token(_ role: String) throws(GraftError) -> Int32 {
            guard let id = parts.id(of: names[role]), id >= 0 else {
                throw GraftError(
                    .incompatible,
                    "\(source): expected \(role) \(JSON.string(names[role] ?? "").shortText) among the pieces")
            }
            return id
        }
        func special(_ role: String, _ typeID: Int32 = 0) throws(GraftError) -> EncodingPart {
            .special(id: try token(role), typeID: typeID)
        }
        let (first, second) = (EncodingPart.sequence(0, typeID: 0), EncodingPart.sequence(1, typeID: 0))
        switch known.ends {
        case .end:
            let end = try special("eos_token")
            return [TemplateProcessing(single: [first, end], pair: [first, end, second, end])]
        case .roberta:
            let (beginning, end) = (try special("bos_token"), try special("eos_token"))
            return [
                TemplateProcessing(
                    single: [beginning, first, end], pair: [beginning, first, end, end, second, end])
            ]
        case .beginning:
            let begins = try configuration.optionalBool("add_bos_token") ?? true
            let finishes = try configuration.optionalBool("add_eos_token") ?? false
            func around(_ index: Int, _ typeID: Int32) throws(GraftError) -> [EncodingPart] {
                var arranged = [EncodingPart.sequence(index, typeID: typeID)]
                if begins { arranged.insert(try special("bos_token", typeID), at: 0) }
                if finishes { arranged.append(try special("eos_token", typeID)) }
                return arranged
            }
            return [TemplateProcessing(single: try around(0, 0), pair: try around(0, 0) + around(1, 1))]
        }
    }
}
