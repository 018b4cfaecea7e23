import GraftFormats
import GraftTensor

extension Tokenizer {
    /// Loads the tokenizer of a folder without `tokenizer.json`: from the first files of
    /// `TokenizerFiles` that are there, as the class has it that the files beside them name.
    convenience init(withoutFile folder: InputFolder) throws(GraftError) {
        guard let (kind, files) = try TokenizerFiles.found(in: folder) else {
            throw TokenizerFiles.missing(in: folder)
        }
        let pieces = kind == .pieces ? try SentencePieceFile(files[0]) : nil
        let settings = try FolderSettings(folder, files: kind, pieces: pieces)
        var parts = try settings.parts(kind, files, pieces)
        settings.declaration.complete(&parts)
        try self.init(parts, settings: settings, source: files[0].path)
        withExtendedLifetime(files) {}
    }

    /// Reads a file of SentencePiece from memory, as it is by itself.
    ///
    /// - Parameter source: what the bytes are, for messages: a path.
    package convenience init(sentencePieces bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        try self.init(withoutFile: try InputFolder([(SentencePieceFile.names[0], bytes)], path: source))
    }
}

/// A tokenizer as its class makes it of older files.
extension FolderSettings {
    fileprivate func parts(
        _ kind: TokenizerFiles, _ files: [MappedFile], _ pieces: SentencePieceFile?
    ) throws(GraftError) -> TokenizerParts {
        let known = try requireClass(of: kind, files[0].path)
        var parts: TokenizerParts
        // Those of the files themselves.
        var added: [AddedToken] = []
        switch (kind, pieces) {
        case (.pieces, let pieces?): (parts, added) = try pieceParts(pieces, known)
        case (.translation, _): parts = try translationParts(files)
        case (.bytePairs, _): parts = try TokenizerParts(vocabulary: files[0], merges: files[1])
        default: parts = try TokenizerParts(lines: files[0], unknownToken: names["unk_token"] ?? "[UNK]")
        }
        try known?.stages(self, pieces?.charactersMap, &parts)
        try addTokens(to: &parts)
        let contents = Set(parts.addedTokens.map { ExactString($0.content) })
        parts.addedTokens += added.filter { !contents.contains(ExactString($0.content)) }
        if kind == .pieces || kind == .translation, known?.pieces ?? .sentencePiece == .sentencePiece {
            // Between tokens that are found nothing is normalised yet.
            for index in parts.addedTokens.indices { parts.addedTokens[index].isNormalized = false }
        }
        if let known { parts.postProcessors = try ends(known, parts, files[0].path) }
        try applyDecoding(to: &parts)
        return parts
    }

    /// The class that reads the files; nil for a file of SentencePiece by itself.
    private func requireClass(of kind: TokenizerFiles, _ path: String) throws(GraftError) -> TokenizerClass? {
        if let known, known.files == kind { return known }
        if kind == .pieces, tokenizerClass.map(Self.plainClasses.contains) ?? true { return nil }
        let readers = TokenizerClass.all.filter { $0.files == kind }.map(\.name).joined(separator: ", ")
        let other = known.map { ", which is read from \($0.files.names)" } ?? ""
        throw GraftError(
            .unsupported,
            "\(path): the tokenizer's class is \(tokenizerClass ?? "")\(other): from \(kind.names) only the classes \(readers) "
                + "are read; in Python, load it with transformers and call save_pretrained, which writes tokenizer.json "
                + "where the class has one")
    }

    /// What the class puts around texts.
    private func ends(
        _ known: TokenizerClass, _ parts: TokenizerParts, _ path: String
    ) throws(GraftError) -> [any PostProcessor] {
        let template = TemplateProcessing(
            single: try arranged(known.single, known, parts, path), pair: try arranged(known.pair, known, parts, path))
        guard known.trimsOffsets else { return [template] }
        let trimming = try Stages.postProcessors([
            "type": "ByteLevel",
            "add_prefix_space": .bool(try configuration.optionalBool("add_prefix_space") ?? false),
            "trim_offsets": .bool(try configuration.optionalBool("trim_offsets") ?? true),
        ])
        return trimming + [template]
    }

    private func arranged(
        _ template: String, _ known: TokenizerClass, _ parts: TokenizerParts, _ path: String
    ) throws(GraftError) -> [EncodingPart] {
        var arranged: [EncodingPart] = []
        for var word in template.split(separator: " ") {
            let isOptional = word.last == "?"
            if isOptional { word = word.dropLast() }
            let typeID: Int32 = word.hasSuffix(":1") ? 1 : 0
            if typeID == 1 { word = word.dropLast(2) }
            if word == "A" || word == "B" {
                arranged.append(.sequence(word == "A" ? 0 : 1, typeID: typeID))
                continue
            }
            let role = String(word)
            let content = try content(of: role, known)
            if isOptional {
                let key = role == "bos_token" ? "add_bos_token" : "add_eos_token"
                let standard = role == "bos_token" && known.addsBeginning
                guard try configuration.optionalBool(key) ?? standard, content != nil else { continue }
            }
            guard let content, let id = parts.id(of: content), id >= 0 else {
                throw GraftError(
                    .incompatible,
                    "\(path): expected \(role) \(JSON.string(content ?? "").shortText) among the tokens, as \(known.name) has it"
                )
            }
            arranged.append(.special(id: id, typeID: typeID))
        }
        return arranged
    }

    /// The token of a role; nil where there is none.
    private func content(of role: String, _ known: TokenizerClass) throws(GraftError) -> String? {
        if let content = namedContents[role]?.stringValue { return content }
        guard !role.hasSuffix("_token") else { return nil }
        return try configuration.optionalString(role) ?? known.special[role]
    }
}

extension TokenizerParts {
    /// Byte-pair encoding from an object of tokens with their ids, and a text with a merge a line.
    fileprivate init(vocabulary: MappedFile, merges: MappedFile) throws(GraftError) {
        let tokens = try ModelFile.vocabulary(of: vocabulary)
        // A merge takes some nine bytes in the files there are.
        let table = try MergeTable(count: merges.bytes.count / 9, vocabulary: tokens, source: merges.path) {
            (body) throws(GraftError) in
            var rank = 0
            try merges.forEachLine { (line) throws(GraftError) in
                try body(rank, line)
                if !line.starts(with: "#version".utf8) { rank += 1 }
            }
        }
        self.init(model: BytePairEncoding(vocabulary: tokens, merges: table))
    }

    /// WordPiece from a list of tokens, one a line, whose ids are the lines' numbers from 0.
    fileprivate init(lines: MappedFile, unknownToken: String) throws(GraftError) {
        var vocabulary = Vocabulary(count: lines.bytes.count / 8)
        var id = 0
        try lines.forEachLine { (line) throws(GraftError) in
            try vocabulary.add(line, id: id)
            id += 1
        }
        self.init(
            model: WordPiece(
                vocabulary: vocabulary, unknownToken: unknownToken, continuingPrefix: "##", maximumCharacters: 100))
    }
}

extension MappedFile {
    /// Calls `body` with each line of a text in UTF-8; the last may end with a line break or
    /// without.
    fileprivate func forEachLine(
        _ body: (UnsafeBufferPointer<UInt8>) throws(GraftError) -> Void
    ) throws(GraftError) {
        let text = UnsafeBufferPointer(start: bytes.bindMemory(to: UInt8.self).baseAddress, count: bytes.count)
        if let position = UTF8Validation.firstInvalid(text) {
            throw GraftError(.corruptFile, "\(path): not UTF-8 at byte \(position)")
        }
        for var line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.startIndex == text.endIndex { break }
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            try body(UnsafeBufferPointer(rebasing: line))
        }
    }
}
