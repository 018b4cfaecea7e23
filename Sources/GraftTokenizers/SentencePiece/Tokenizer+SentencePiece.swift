import GraftFormats
import GraftTensor

extension Tokenizer {
    /// Loads the tokenizer of a folder from one of its files, which is SentencePiece's, with what
    /// the files beside it say.
    convenience init(sentencePieces name: String, in folder: InputFolder) throws(GraftError) {
        let file = try folder.file(name)
        try file.refuseStandIn()
        try Memory.require(Self.memoryPerByte * file.bytes.count, to: "reading \(file.path)")
        let pieces = try SentencePieceFile(file.bytes, source: file.path)
        let settings = try FolderSettings(folder, pieces: pieces) { SentencePieceClass.usual($0?.stringValue) }
        var parts = try settings.parts(pieces)
        settings.declaration.complete(&parts)
        try self.init(parts, settings: settings, source: file.path)
        withExtendedLifetime(file) {}
    }

    /// Reads a file of SentencePiece from memory, as it is by itself.
    ///
    /// - Parameter source: what the bytes are, for messages: a path.
    package convenience init(sentencePieces bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        let folder = try InputFolder([(SentencePieceFile.names[0], bytes)], path: source)
        try self.init(sentencePieces: SentencePieceFile.names[0], in: folder)
    }
}
