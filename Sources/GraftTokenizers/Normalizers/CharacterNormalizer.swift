import GraftFormats
import GraftTensor

/// A normalizer that maps every character by itself: Lowercase, StripAccents, Nmt.
final class CharacterNormalizer: Normalizer {
    /// What becomes of a character.
    typealias Rule = @Sendable (Unicode.Scalar) -> [UInt32]

    private let rule: Rule
    let isLowercase: Bool
    /// The character in place of each; `several` for other than one.
    private let single: ScalarTable<UInt32>
    private static let several = UInt32.max

    init(isLowercase: Bool = false, _ rule: @escaping Rule) {
        self.rule = rule
        self.isLowercase = isLowercase
        single = ScalarTable(surrogateValue: Self.several) { scalar in
            let result = rule(scalar)
            return result.count == 1 ? result[0] : Self.several
        }
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        var copied = range.lowerBound
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = source.scalar(at: position)
            let replacement = single[scalar]
            if replacement != scalar {
                out.copy(source, copied, position)
                out.beginAlignment()
                let origin = source.alignment(at: position)
                if replacement != Self.several {
                    out.append(replacement, origin)
                } else if let scalar = Unicode.Scalar(scalar) {
                    for part in rule(scalar) { out.append(part, origin) }
                }
                copied = position + length
            }
            position += length
        }
        out.copy(source, copied, range.upperBound)
    }

    static func lowercase() -> CharacterNormalizer {
        CharacterNormalizer(isLowercase: true) { $0.properties.lowercaseMapping.unicodeScalars.map(\.value) }
    }

    static func stripAccents() -> CharacterNormalizer {
        CharacterNormalizer { CharacterClasses.isMark($0) ? [] : [$0.value] }
    }

    /// The clean-up of machine translation in SentencePiece: control characters go, unusual spaces
    /// become plain ones.
    static func machineTranslation() -> CharacterNormalizer {
        CharacterNormalizer { scalar in
            switch scalar.value {
            case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: []
            case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: [0x20]
            default: [scalar.value]
            }
        }
    }
}
