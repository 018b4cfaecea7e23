import GraftFormats
import GraftTensor

/// Files that a tokenizer is read from where a folder has no `tokenizer.json`, in the order in
/// which they count.
enum TokenizerFiles: CaseIterable {
    /// One of SentencePiece.
    case pieces
    /// Byte-pair encoding of bytes.
    case bytePairs
    /// Two of SentencePiece, one for each of two languages, with a vocabulary for both.
    case translation
    /// WordPiece.
    case words

    /// Names of files of which all are there; the first such list counts.
    private var choices: [[String]] {
        switch self {
        case .pieces: SentencePieceFile.names.map { [$0] }
        case .bytePairs: [["vocab.json", "merges.txt"]]
        case .translation: [["vocab.json", "source.spm", "target.spm"]]
        case .words: [["vocab.txt"]]
        }
    }

    /// For messages.
    var names: String {
        let names = choices.map { $0.joined(separator: ", ") }
        return names.joined(separator: " or ")
    }

    /// The files that a folder has, opened.
    static func found(in folder: InputFolder) throws(GraftError) -> (kind: TokenizerFiles, files: [MappedFile])? {
        for kind in allCases {
            guard let names = kind.choices.first(where: { $0.allSatisfy(folder.has) }) else { continue }
            var files: [MappedFile] = []
            for name in names {
                let file = try folder.file(name)
                try file.refuseStandIn()
                try Memory.require(Tokenizer.memoryPerByte * file.bytes.count, to: "reading \(file.path)")
                files.append(file)
            }
            return (kind, files)
        }
        return nil
    }

    /// The error of a folder that has none of them, or not all.
    static func missing(in folder: InputFolder) -> GraftError {
        // The list of which most is there; of several the first.
        var best: (found: [String], missing: [String]) = ([], [])
        for names in allCases.flatMap(\.choices) {
            let found = names.filter(folder.has)
            if found.count > best.found.count { best = (found, names.filter { !folder.has($0) }) }
        }
        guard !best.found.isEmpty else {
            return folder.missing("no tokenizer.json, tokenizer.model, vocab.txt or vocab.json", wanted: .tokenizer)
        }
        return GraftError(
            .corruptFile,
            "\(folder.path): no tokenizer.json, and beside \(best.found.joined(separator: " and ")) expected "
                + "\(best.missing.joined(separator: " and ")), found no such file")
    }
}
