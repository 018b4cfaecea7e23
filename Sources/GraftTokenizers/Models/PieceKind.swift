/// What a piece of SentencePiece is, by the numbers of `ModelProto.SentencePiece.Type`, which GGUF
/// files have, too, in `tokenizer.ggml.token_type`.
enum PieceKind: Int, Sendable {
    case normal = 1
    case unknown = 2
    /// Never found in a text by SentencePiece itself.
    case control = 3
    /// Found in a text before anything else is.
    case userDefined = 4
    /// Never the result of encoding.
    case unused = 5
    case byte = 6

    /// Whether a part of a text can be one.
    var isText: Bool { self == .normal || self == .userDefined || self == .unused }
}
