import GraftFormats
import GraftTensor

extension Tokenizer {
    /// Loads the tokenizer of a model folder: `tokenizer.json`, or else older files (see
    /// `TokenizerFiles`), with what the files beside it say (see `FolderSettings`).
    package convenience init(_ folder: InputFolder) throws(GraftError) {
        do throws(GraftError) {
            try self.init(try folder.file("tokenizer.json"), settings: try FolderSettings(folder))
        } catch  where error.code == .notFound {
            try self.init(withoutFile: folder)
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
}
