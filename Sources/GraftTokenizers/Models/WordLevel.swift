import GraftFormats
import GraftTensor

/// Whole words only: a word is in the vocabulary or unknown.
final class WordLevel: TokenModel {
    let vocabulary: Vocabulary
    private let unknownToken: String
    private let unknownID: Int32?
    var unknown: Int32? { unknownID }

    init(_ file: ModelFile) throws(GraftError) {
        vocabulary = file.vocabulary
        unknownToken = try file.settings.optionalString("unk_token") ?? "<unk>"
        unknownID = vocabulary.id(of: unknownToken)
    }

    func tokenize(
        _ text: borrowing WorkingText, limit: Int?, into tokens: inout Buffer<FoundToken>,
        with scratch: inout ModelScratch
    ) throws(GraftError) {
        let view = text.view
        let limit = limit.map { tokens.count + $0 }
        for index in 0..<text.pieces.count {
            try Memory.check()
            let piece = text.pieces[index]
            var id = piece.token
            if piece.isText {
                let word = UnsafeBufferPointer(rebasing: view.bytes[piece.range])
                guard let known = vocabulary.id(of: word) ?? unknownID else {
                    throw GraftError(
                        .incompatible,
                        "a word is not in the vocabulary, and neither is the unknown token \"\(unknownToken)\"")
                }
                id = known
            }
            tokens.append(FoundToken(id: id, start: piece.start, end: piece.end, piece: Int32(index)))
            if let limit, piece.isText, tokens.count >= limit { break }
        }
    }
}
