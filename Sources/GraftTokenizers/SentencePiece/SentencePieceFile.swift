import GraftTensor

/// A model of SentencePiece (`sentencepiece_model.proto`): the pieces with their scores, and how a
/// text is made ready for them.
struct SentencePieceFile {
    /// Files that hold one, the first that is there counts.
    static let names = ["spiece.model", "spm.model", "sentencepiece.bpe.model", "tokenizer.model"]

    struct Piece {
        let bytes: UnsafeBufferPointer<UInt8>
        let score: Float
        let kind: PieceKind
    }

    private(set) var pieces: [Piece] = []
    private(set) var unknown = -1
    private(set) var isUnigram = true
    private(set) var fallsBackToBytes = false
    /// Whether the mark of a space ends words, and does not begin them.
    private(set) var marksEnds = false
    /// What an unknown piece reads when decoding.
    private(set) var unknownSurface = " \u{2047} "
    private(set) var addsDummyPrefix = true
    private(set) var removesExtraSpaces = true
    private(set) var escapesSpaces = true
    private(set) var charactersMap: CharacterMap?
    /// How the pieces that play a part are spelled, by transformers' names.
    private var spelled = ["bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"]
    let source: String

    /// What stands for a space in pieces.
    var spaceMark: [UInt8] { escapesSpaces ? Array("\u{2581}".utf8) : [UInt8(ascii: " ")] }

    /// - Parameter bytes: which must stay while this is used.
    init(_ bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        var scoped = Self(source)
        try ProtobufReader.forEachField(of: bytes, source: source) { (field, value) throws(GraftError) in
            switch field {
            case 1: if let piece = try value.block() { try scoped.addPiece(piece) }
            case 2: if let settings = try value.block() { try scoped.readTrainer(settings) }
            case 3: if let settings = try value.block() { try scoped.readNormalizer(settings) }
            case 5: if let settings = try value.block() { try scoped.refuseDenormalizer(settings) }
            default: break
            }
        }
        try scoped.check()
        self = scoped
    }

    /// - Parameter file: which must stay while this is used.
    init(_ file: MappedFile) throws(GraftError) {
        try self.init(file.bytes, source: file.path)
    }

    private init(_ source: String) { self.source = source }

    /// The special tokens that the file itself tells of.
    var roles: [String: String] {
        var roles = spelled.filter { role in
            pieces.contains { $0.kind == .control && $0.bytes.elementsEqual(role.value.utf8) }
        }
        roles["unk_token"] = String(decoding: pieces[unknown].bytes, as: UTF8.self)
        return roles
    }

    private mutating func addPiece(_ bytes: UnsafeRawBufferPointer) throws(GraftError) {
        try Memory.check()
        let id = pieces.count
        guard id <= Vocabulary.maximumID else {
            throw GraftError(.unsupported, "\(source): expected at most \(Vocabulary.maximumID + 1) pieces")
        }
        var text = UnsafeRawBufferPointer(start: nil, count: 0)
        var score: Float = 0
        var kind = PieceKind.normal
        try ProtobufReader.forEachField(of: bytes, source: source) { (field, value) throws(GraftError) in
            switch field {
            case 1: text = try value.block() ?? text
            case 2: score = try value.float() ?? score
            case 3:
                if let found = try value.integer().flatMap({ Int(exactly: $0) }).flatMap(PieceKind.init) {
                    kind = found
                }
            default: break
            }
        }
        let spelling = UnsafeBufferPointer(start: text.bindMemory(to: UInt8.self).baseAddress, count: text.count)
        guard !spelling.isEmpty, UTF8Validation.firstInvalid(spelling) == nil, !score.isNaN else {
            throw GraftError(.corruptFile, "\(source): piece \(id): expected a text in UTF-8 and a number")
        }
        if kind == .unknown {
            guard unknown < 0 else {
                throw GraftError(.corruptFile, "\(source): expected one unknown piece, found \(unknown) and \(id)")
            }
            unknown = id
        }
        pieces.append(Piece(bytes: spelling, score: score, kind: kind))
    }

    private mutating func readTrainer(_ bytes: UnsafeRawBufferPointer) throws(GraftError) {
        var scoped = self
        try ProtobufReader.forEachField(of: bytes, source: source) { (field, value) throws(GraftError) in
            switch field {
            case 3:
                guard let type = try value.integer() else { break }
                guard type == 1 || type == 2 else {
                    throw GraftError(
                        .unsupported,
                        "\(scoped.source): model_type is \(type): expected 1 (Unigram) or 2 (byte-pair encoding)")
                }
                scoped.isUnigram = type == 1
            case 24: scoped.marksEnds = try value.bool() ?? scoped.marksEnds
            case 35: scoped.fallsBackToBytes = try value.bool() ?? scoped.fallsBackToBytes
            case 44: if let text = try value.block() { scoped.unknownSurface = String(decoding: text, as: UTF8.self) }
            case 46...48:
                let role = ["bos_token", "eos_token", "pad_token"][field - 46]
                if let text = try value.block(), !text.isEmpty {
                    scoped.spelled[role] = String(decoding: text, as: UTF8.self)
                }
            default: break
            }
        }
        self = scoped
    }

    private mutating func readNormalizer(_ bytes: UnsafeRawBufferPointer) throws(GraftError) {
        var scoped = self
        try ProtobufReader.forEachField(of: bytes, source: source) { (field, value) throws(GraftError) in
            switch field {
            case 2:
                guard let map = try value.block(), !map.isEmpty else { break }
                guard let map = CharacterMap(Array(map)) else {
                    throw GraftError(
                        .corruptFile,
                        "\(scoped.source): precompiled_charsmap: expected SentencePiece's map of characters")
                }
                scoped.charactersMap = map
            case 3: scoped.addsDummyPrefix = try value.bool() ?? scoped.addsDummyPrefix
            case 4: scoped.removesExtraSpaces = try value.bool() ?? scoped.removesExtraSpaces
            case 5: scoped.escapesSpaces = try value.bool() ?? scoped.escapesSpaces
            default: break
            }
        }
        self = scoped
    }

    private func refuseDenormalizer(_ bytes: UnsafeRawBufferPointer) throws(GraftError) {
        try ProtobufReader.forEachField(of: bytes, source: source) { (field, value) throws(GraftError) in
            guard field == 2, try value.block()?.isEmpty == false else { return }
            throw GraftError(
                .unsupported, "\(source): denormalizer_spec has a precompiled_charsmap, which is not supported")
        }
    }

    private func check() throws(GraftError) {
        guard unknown >= 0 else {
            let found = pieces.isEmpty ? "found no pieces: it is no file of SentencePiece" : "found none"
            throw GraftError(.corruptFile, "\(source): expected an unknown piece, \(found)")
        }
        let hasBytes = pieces.contains { $0.kind == .byte }
        guard hasBytes == fallsBackToBytes else {
            throw GraftError(
                .corruptFile,
                "\(source): byte_fallback is \(fallsBackToBytes): expected \(fallsBackToBytes ? "256" : "no") byte pieces"
            )
        }
    }
}
