import GraftFormats
import GraftTensor

extension Tokenizer {
    /// Loads the tokenizer of a model folder: `tokenizer.json`, or else a file of SentencePiece,
    /// `vocab.json` with `merges.txt` of GPT-2 or RoBERTa, or a BERT `vocab.txt`, with what the
    /// files beside it say (see `FolderSettings`).
    package convenience init(_ folder: InputFolder) throws(GraftError) {
        do throws(GraftError) {
            try self.init(try folder.file("tokenizer.json"), settings: try FolderSettings(folder))
        } catch  where error.code == .notFound {
            if let name = SentencePieceFile.names.first(where: folder.has) {
                try self.init(sentencePieces: name, in: folder)
            } else if folder.has("vocab.json"), folder.has("merges.txt") {
                try self.init(bytesIn: folder)
            } else {
                let settings = try FolderSettings(folder) { _ in "BertTokenizer" }
                try self.init(vocabularyFile: "vocab.txt", in: folder, settings: settings)
            }
        }
    }

    /// Loads the tokenizer of a model folder, or the one inside a GGUF file.
    package convenience init(folder: String) throws(GraftError) {
        if GGUFFile.isOne(folder) {
            try self.init(gguf: try GGUFFile(path: folder))
        } else {
            try self.init(InputFolder(path: folder))
        }
    }

    /// Loads one `tokenizer.json`.
    package convenience init(tokenizerFile path: String) throws(GraftError) {
        try self.init(try MappedFile(path: path, copies: true), settings: nil)
    }

    /// Reads a `tokenizer.json` from memory.
    ///
    /// - Parameter source: what the bytes are, for messages: a path.
    package convenience init(tokenizer bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        var parts = try TokenizerParts(bytes, source: source)
        FolderDeclaration().complete(&parts)
        try self.init(parts, settings: nil, source: source)
    }

    /// Memory that a byte of a file takes when it is read, about.
    static let memoryPerByte = 16

    private convenience init(_ file: MappedFile, settings: FolderSettings?) throws(GraftError) {
        try file.refuseStandIn()
        try Memory.require(Self.memoryPerByte * file.bytes.count, to: "reading \(file.path)")
        var parts = try TokenizerParts(file.bytes, source: file.path)
        try settings?.apply(to: &parts)
        (settings?.declaration ?? FolderDeclaration()).complete(&parts)
        try self.init(parts, settings: settings, source: file.path)
    }

    private convenience init(bytesIn folder: InputFolder) throws(GraftError) {
        let settings = try FolderSettings(folder) { type in
            type == "roberta" ? FolderSettings.robertaClass : FolderSettings.gpt2Class
        }
        var files: [MappedFile] = []
        for name in ["vocab.json", "merges.txt"] {
            let file = try folder.file(name)
            try file.refuseStandIn()
            try Memory.require(Self.memoryPerByte * file.bytes.count, to: "reading \(file.path)")
            files.append(file)
        }
        var parts = try TokenizerParts(vocabulary: files[0], merges: files[1])
        try settings.completeBytes(&parts, files[0].path)
        settings.declaration.complete(&parts)
        try self.init(parts, settings: settings, source: files[0].path)
    }

    private convenience init(
        vocabularyFile name: String, in folder: InputFolder, settings: FolderSettings
    ) throws(GraftError) {
        let file: MappedFile
        do throws(GraftError) {
            file = try folder.file(name)
            try file.refuseStandIn()
            try Memory.require(Self.memoryPerByte * file.bytes.count, to: "reading \(file.path)")
        } catch  where error.code == .notFound {
            throw folder.missing("no tokenizer.json, tokenizer.model, vocab.txt or vocab.json", wanted: .tokenizer)
        }
        var parts = try TokenizerParts(vocabulary: file.bytes, settings: settings, source: file.path)
        settings.declaration.complete(&parts)
        try self.init(parts, settings: settings, source: file.path)
    }
}

extension TokenizerParts {
    /// Reads a `tokenizer.json`. Padding is passed over: encodings have none.
    init(_ bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        var reader = JSONReader(bytes, source: source)
        var modelFile: ModelFile?
        var members = JSONObject()
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if key == "model" {
                guard modelFile == nil else { throw reader.error("a second model") }
                modelFile = try ModelFile(&reader)
            } else {
                let name = key.string
                guard members[name] == nil else { throw reader.error("a second member called \(name)") }
                members[name] = try reader.value("\(source): \(name)")
            }
        }
        try reader.finish()
        guard let modelFile else { throw GraftError(.corruptFile, "\(source): expected a member \"model\"") }
        self.init(model: try Stages.model(modelFile))
        if let version = members["version"], version != "1.0" {
            throw GraftError(.unsupported, "\(source): expected version 1.0, found \(version.kind)")
        }
        normalizers = try Stages.normalizers(members["normalizer"] ?? .null)
        preTokenizers = try Stages.preTokenizers(members["pre_tokenizer"] ?? .null)
        postProcessors = try Stages.postProcessors(members["post_processor"] ?? .null)
        if let decoder = members["decoder"], !decoder.isNull { decoders = try Stages.decoders(decoder) }
        if let truncation = members["truncation"], !truncation.isNull {
            self.truncation = try Truncation(truncation.requireObject())
        }
        for token in try members.optionalArray("added_tokens") ?? [] {
            addedTokens.append(try AddedToken(token.requireObject()))
        }
    }

    /// Byte-pair encoding from an object of tokens with their ids, and a text with a merge a line.
    fileprivate init(vocabulary: MappedFile, merges: MappedFile) throws(GraftError) {
        var reader = JSONReader(vocabulary.bytes, source: vocabulary.path)
        let tokens = try ModelFile.vocabulary(&reader)
        try reader.finish()
        let bytes = merges.bytes
        let text = UnsafeBufferPointer(start: bytes.bindMemory(to: UInt8.self).baseAddress, count: bytes.count)
        if let position = UTF8Validation.firstInvalid(text) {
            throw GraftError(.corruptFile, "\(merges.path): not UTF-8 at byte \(position)")
        }
        // A merge takes some nine bytes in the files there are.
        let table = try MergeTable(count: bytes.count / 9, vocabulary: tokens, source: merges.path) {
            (body) throws(GraftError) in
            var rank = 0
            for var line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
                // The last line may end with a line break or without.
                if line.startIndex == text.endIndex { break }
                if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
                try body(rank, UnsafeBufferPointer(rebasing: line))
                if !line.starts(with: "#version".utf8) { rank += 1 }
            }
        }
        self.init(model: BytePairEncoding(vocabulary: tokens, merges: table))
        withExtendedLifetime((vocabulary, merges)) {}
    }

    /// BERT's tokenizer from a list of tokens, one a line, whose ids are the lines' numbers from 0.
    init(
        vocabulary bytes: UnsafeRawBufferPointer, settings: FolderSettings, source: String
    ) throws(GraftError) {
        try settings.requireVocabularyFile(source)
        let text = UnsafeBufferPointer(start: bytes.bindMemory(to: UInt8.self).baseAddress, count: bytes.count)
        if let position = UTF8Validation.firstInvalid(text) {
            throw GraftError(.corruptFile, "\(source): not UTF-8 at byte \(position)")
        }
        var vocabulary = Vocabulary(count: bytes.count / 8)
        var id = 0
        for var line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            // The last line may end with a line break or without.
            if line.startIndex == text.endIndex { break }
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            try vocabulary.add(UnsafeBufferPointer(rebasing: line), id: id)
            id += 1
        }
        self.init(
            model: WordPiece(
                vocabulary: vocabulary, unknownToken: settings.names["unk_token"] ?? "[UNK]", continuingPrefix: "##",
                maximumCharacters: 100))
        normalizers = [try settings.bertNormalizer()]
        preTokenizers = [BertPreTokenizer()]
        decoders = [WordPieceDecoder(prefix: "##", cleansUp: true)]
        cleansUp = try settings.configuration.optionalBool("clean_up_tokenization_spaces") ?? false
        try settings.addTokens(to: &self)
        guard let separator = settings.names["sep_token"].flatMap({ vocabulary.id(of: $0) }),
            let classification = settings.names["cls_token"].flatMap({ vocabulary.id(of: $0) })
        else {
            throw GraftError(.incompatible, "\(source): expected the tokens [CLS] and [SEP] among the lines")
        }
        postProcessors = [BertProcessing(separator: separator, classification: classification)]
    }
}
