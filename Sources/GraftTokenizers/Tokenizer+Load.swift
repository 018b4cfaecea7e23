import GraftFormats
import GraftTensor

extension Tokenizer {
    /// Loads the tokenizer of a model folder: `tokenizer.json`, or else a BERT `vocab.txt`.
    ///
    /// `tokenizer_config.json` and `special_tokens_map.json` are read where they are there: for the names of special
    /// tokens, and beside `vocab.txt` for how to normalise.
    package convenience init(folder: String) throws(GraftError) {
        let map = try Self.optionalObject("\(folder)/special_tokens_map.json")
        let configuration = try Self.optionalObject("\(folder)/tokenizer_config.json")
        let names = try SpecialTokenNames([map, configuration].compactMap { $0 })
        do throws(GraftError) {
            try self.init(tokenizerFile: "\(folder)/tokenizer.json", specialTokens: names)
        } catch  where error.code == .notFound {
            try self.init(
                vocabularyFile: "\(folder)/vocab.txt", configuration: configuration ?? JSONObject(),
                specialTokens: names,
                folder: folder)
        }
    }

    /// Loads one `tokenizer.json`.
    package convenience init(tokenizerFile path: String) throws(GraftError) {
        try self.init(tokenizerFile: path, specialTokens: SpecialTokenNames())
    }

    /// Reads a `tokenizer.json` from memory.
    ///
    /// - Parameter source: what the bytes are, for messages: a path.
    package convenience init(tokenizer bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        try self.init(TokenizerParts(bytes, source: source), specialTokens: SpecialTokenNames(), source: source)
    }

    /// Memory that a byte of a file takes when it is read, about.
    private static let memoryPerByte = 8

    private convenience init(tokenizerFile path: String, specialTokens: SpecialTokenNames) throws(GraftError) {
        let file = try MappedFile(path: path, copies: true)
        try file.refuseStandIn()
        try Memory.require(Self.memoryPerByte * file.bytes.count, to: "reading \(path)")
        try self.init(TokenizerParts(file.bytes, source: path), specialTokens: specialTokens, source: path)
    }

    private convenience init(
        vocabularyFile path: String, configuration: JSONObject, specialTokens: SpecialTokenNames, folder: String
    ) throws(GraftError) {
        let file: MappedFile
        do throws(GraftError) {
            file = try MappedFile(path: path, copies: true)
            try file.refuseStandIn()
            try Memory.require(Self.memoryPerByte * file.bytes.count, to: "reading \(path)")
        } catch  where error.code == .notFound {
            throw FolderSurvey.error(folder, missing: "neither tokenizer.json nor vocab.txt", wanted: .tokenizer)
        }
        let parts = try TokenizerParts(
            vocabulary: file.bytes, configuration: configuration, specialTokens: specialTokens, source: path)
        try self.init(parts, specialTokens: specialTokens, source: path)
    }

    private static func optionalObject(_ path: String) throws(GraftError) -> JSONObject? {
        do throws(GraftError) {
            return try JSON(contentsOf: path).requireObject()
        } catch  where error.code == .notFound {
            return nil
        }
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

    /// BERT's tokenizer from a list of tokens, one a line, whose ids are the lines' numbers from 0.
    init(
        vocabulary bytes: UnsafeRawBufferPointer, configuration: JSONObject, specialTokens: SpecialTokenNames,
        source: String
    ) throws(GraftError) {
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
        let lowercases = try configuration.optionalBool("do_lower_case") ?? true
        self.init(
            model: WordPiece(
                vocabulary: vocabulary, unknownToken: specialTokens["unk_token"] ?? "[UNK]", continuingPrefix: "##",
                maximumCharacters: 100))
        normalizers = [
            BertNormalizer(
                cleansText: true,
                separatesChinese: try configuration.optionalBool("tokenize_chinese_chars") ?? true,
                stripsAccents: try configuration.optionalBool("strip_accents") ?? lowercases,
                lowercases: lowercases)
        ]
        preTokenizers = [BertPreTokenizer()]
        decoders = [WordPieceDecoder(prefix: "##", cleansUp: true)]
        for key in ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"] {
            guard let name = specialTokens[key], let id = vocabulary.id(of: name) else { continue }
            addedTokens.append(AddedToken(content: name, id: id, isSpecial: true))
        }
        guard let separator = specialTokens["sep_token"].flatMap({ vocabulary.id(of: $0) }),
            let classification = specialTokens["cls_token"].flatMap({ vocabulary.id(of: $0) })
        else {
            throw GraftError(.incompatible, "\(source): expected the tokens [CLS] and [SEP] among the lines")
        }
        postProcessors = [BertProcessing(separator: separator, classification: classification)]
    }
}
