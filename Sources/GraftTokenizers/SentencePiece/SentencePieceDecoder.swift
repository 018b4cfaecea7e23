import GraftFormats
import GraftTensor

/// Turns pieces back into text as SentencePiece does: marks become spaces, but none is put before
/// the text; tokens of bytes become characters, and U+FFFD for each byte that is in none.
struct SentencePieceDecoder: TokenDecoder {
    /// How the unknown piece is spelled, and what it reads; nil where it reads as it is spelled.
    private let unknown: (spelling: [UInt8], surface: [UInt8])?
    private let hasBytes: Bool
    private let dropsFirstSpace: Bool
    private let dropsLeadingSpaces: Bool
    /// Those of the file, where others are read, too, which stay as they are; nil where all are
    /// its.
    private let pieces: SentencePieceVocabulary?
    private static let mark = Array("\u{2581}".utf8)

    init(_ file: SentencePieceFile, showsUnknown: Bool, pieces: SentencePieceVocabulary? = nil) {
        self.pieces = pieces
        unknown = showsUnknown ? (Array(file.pieces[file.unknown].bytes), Array(file.unknownSurface.utf8)) : nil
        hasBytes = file.fallsBackToBytes
        dropsFirstSpace = file.addsDummyPrefix || file.removesExtraSpaces
        dropsLeadingSpaces = file.removesExtraSpaces
    }

    func decode(_ tokens: TokenTexts) -> TokenTexts {
        var result = TokenTexts()
        var run: [UInt8] = []
        // Whether a space before the text may still come.
        var isStart = true
        for index in 0..<tokens.count {
            let token = tokens[index]
            if hasBytes, let byte = ByteFallbackDecoder.byte(token) {
                run.append(byte)
                continue
            }
            Self.append(run, to: &result)
            run.removeAll(keepingCapacity: true)
            if !result.bytes.isEmpty { isStart = false }
            if let unknown, token.elementsEqual(unknown.spelling) {
                result.append(unknown.surface)
                continue
            }
            let dropsMark = isStart && dropsFirstSpace && token.starts(with: Self.mark) && isPiece(token)
            result.append(Self.spaced(dropsMark ? token.dropFirst(Self.mark.count) : token))
            if dropsMark, !dropsLeadingSpaces { isStart = false }
        }
        Self.append(run, to: &result)
        return result
    }

    private func isPiece(_ token: ArraySlice<UInt8>) -> Bool {
        guard let pieces else { return true }
        return token.withUnsafeBufferPointer { pieces.id(of: $0) } != nil
    }

    func bytesOfEach(_ tokens: TokenTexts) -> TokenTexts? {
        var result = TokenTexts()
        for index in 0..<tokens.count {
            if hasBytes, let byte = ByteFallbackDecoder.byte(tokens[index]) {
                result.append(CollectionOfOne(byte))
            } else if let unknown, tokens[index].elementsEqual(unknown.spelling) {
                result.append(unknown.surface)
            } else {
                result.append(Self.spaced(tokens[index]))
            }
        }
        return result
    }

    private static func spaced(_ token: ArraySlice<UInt8>) -> [UInt8] {
        ByteSearch.replacing(mark, with: [UInt8(ascii: " ")], in: Array(token))
    }

    /// The characters of bytes.
    private static func append(_ run: [UInt8], to result: inout TokenTexts) {
        guard !run.isEmpty else { return }
        run.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                if let length = UTF8Scanning.sequenceLength(in: bytes, at: position) {
                    result.extend(bytes[position..<position + length])
                    position += length
                } else {
                    result.extend("\u{FFFD}".utf8)
                    position += 1
                }
            }
        }
        result.endText()
    }
}
