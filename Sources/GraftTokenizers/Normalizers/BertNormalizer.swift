import GraftFormats
import GraftTensor

/// BERT's text cleaning: control characters dropped, white space made plain, Chinese characters set
/// apart by spaces, accents stripped (canonical decomposition without its non-spacing marks),
/// letters lowered. Each step can be off.
///
/// The steps are worked into one table, so that text is passed over once. Only marks that must be
/// brought into canonical order although they are kept need the steps one after the other.
final class BertNormalizer: Normalizer {
    private let steps: CharacterSteps
    var cleansText: Bool { steps.cleansText }
    /// Whether letters are lowered and lose their accents.
    var simplifiesLetters: Bool { steps.lowercases && steps.stripsAccents }

    /// What becomes of a character: an action and, in the low 21 bits, the character that takes its
    /// place.
    private struct Entry {
        static let keep: UInt32 = 0
        static let drop: UInt32 = 1 << 24
        static let replace: UInt32 = 2 << 24
        static let surroundWithSpaces: UInt32 = 3 << 24
        static let expand: UInt32 = 4 << 24
        static let needsOrder: UInt32 = 5 << 24
        static let action: UInt32 = 0xFF << 24
        static let scalar: UInt32 = 0x1FFFFF
    }
    private let entries: ScalarTable<UInt32>
    /// The byte in place of an ASCII character; `dropped` for none. Indexed by any byte.
    private let ascii: [UInt8]
    private static let dropped: UInt8 = 0xFF

    init(cleansText: Bool, separatesChinese: Bool, stripsAccents: Bool, lowercases: Bool) {
        let steps = CharacterSteps(
            cleansText: cleansText, separatesChinese: separatesChinese, stripsAccents: stripsAccents,
            lowercases: lowercases)
        self.steps = steps
        entries = ScalarTable(surrogateValue: Entry.keep) { steps.entry(for: $0) }
        ascii = (0...255).map { byte in
            let scalar = Unicode.Scalar(UInt8(byte))
            guard scalar.isASCII else { return Self.dropped }
            return steps.result(of: scalar).first.map { UInt8(truncatingIfNeeded: $0) } ?? Self.dropped
        }
    }

    convenience init(_ settings: JSONObject) throws(GraftError) {
        let lowercases = try settings.bool("lowercase")
        self.init(
            cleansText: try settings.bool("clean_text"),
            separatesChinese: try settings.bool("handle_chinese_chars"),
            stripsAccents: try settings.optionalBool("strip_accents") ?? lowercases,
            lowercases: lowercases)
    }

    func normalize(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) throws(GraftError) {
        let mark = out.count
        out.reserve(range.count + 32)
        let isDone = ascii.withUnsafeBufferPointer { map in
            var position = range.lowerBound
            if !out.isAligned, source.alignment == nil, out.count == position {
                position = copyASCII(source, range, map, into: &out)
            }
            guard position < range.upperBound else { return true }
            out.beginAlignment()
            return write(source, position..<range.upperBound, map, into: &out)
        }
        if !isDone {
            out.truncate(to: mark)
            normalizeInSteps(source, range, into: &out)
        }
    }

    /// Writes the ASCII characters at the start of a range, byte for byte, up to the first that has
    /// no byte of its own.
    private func copyASCII(
        _ source: TextView, _ range: Range<Int>, _ map: UnsafeBufferPointer<UInt8>, into out: inout TextBuffer
    ) -> Int {
        let target = out.bytes.base
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = map[Int(source[position])]
            if byte == Self.dropped { break }
            target[position] = byte
            position += 1
        }
        out.bytes.count = position
        return position
    }

    /// Writes a range with alignment; false when a character needs the steps one after the other.
    private func write(
        _ source: TextView, _ range: Range<Int>, _ map: UnsafeBufferPointer<UInt8>, into out: inout TextBuffer
    ) -> Bool {
        let space = UInt32(UInt8(ascii: " "))
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = source[position]
            if byte < 0x80 {
                let mapped = map[Int(byte)]
                if mapped != Self.dropped { out.append(mapped, source.alignment(at: position)) }
                position += 1
                continue
            }
            let (scalar, length) = source.scalar(at: position)
            let origin = source.alignment(at: position)
            let entry = entries[scalar]
            out.reserve(8)
            switch entry & Entry.action {
            case Entry.keep: out.appendReserved(scalar, origin)
            case Entry.drop: break
            case Entry.replace: out.appendReserved(entry & Entry.scalar, origin)
            case Entry.surroundWithSpaces:
                out.appendReserved(space, origin)
                out.appendReserved(entry & Entry.scalar, origin)
                out.appendReserved(space, origin)
            case Entry.expand:
                for part in steps.result(of: Unicode.Scalar(scalar) ?? "\u{FFFD}") { out.append(part, origin) }
            default: return false
            }
            position += length
        }
        return true
    }

    /// The same, for text with marks that canonical ordering may move.
    private func normalizeInSteps(_ source: TextView, _ range: Range<Int>, into out: inout TextBuffer) {
        var cleaned = TextBuffer()
        cleaned.beginAlignment()
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = source.scalar(at: position)
            for part in steps.cleaned(Unicode.Scalar(scalar) ?? "\u{FFFD}") {
                cleaned.append(part, source.alignment(at: position))
            }
            position += length
        }
        var ordered = TextBuffer()
        var transform = Transform(cleaned.view, 0..<cleaned.count, into: &ordered)
        let scalars = Array(String(decoding: cleaned.view.bytes, as: UTF8.self).unicodeScalars)
        for step in UnicodeForm.nfd.steps(scalars) { transform.write(step.scalar, change: step.change, into: &ordered) }
        out.beginAlignment()
        position = 0
        while position < ordered.count {
            let (scalar, length) = ordered.view.scalar(at: position)
            for part in steps.finished(Unicode.Scalar(scalar) ?? "\u{FFFD}") {
                out.append(part, ordered.view.alignment(at: position))
            }
            position += length
        }
    }

    /// What the steps make of single characters.
    private struct CharacterSteps: Sendable {
        let cleansText: Bool
        let separatesChinese: Bool
        let stripsAccents: Bool
        let lowercases: Bool

        /// Before decomposition: cleaned, and Chinese characters between spaces.
        func cleaned(_ scalar: Unicode.Scalar) -> [UInt32] {
            if cleansText {
                if CharacterClasses.isBertControl(scalar) { return [] }
                if CharacterClasses.isWhitespace(scalar) { return [0x20] }
            }
            let isSeparated = separatesChinese && CharacterClasses.isBertChinese(scalar)
            return isSeparated ? [0x20, scalar.value, 0x20] : [scalar.value]
        }

        func decomposed(_ scalar: UInt32) -> [UInt32] {
            guard stripsAccents, let scalar = Unicode.Scalar(scalar) else { return [scalar] }
            return UnicodeForm.nfd.decomposition(of: scalar)
        }

        /// After decomposition: marks dropped, letters lowered.
        func finished(_ scalar: Unicode.Scalar) -> [UInt32] {
            if stripsAccents, CharacterClasses.isNonspacingMark(scalar) { return [] }
            return lowercases ? scalar.properties.lowercaseMapping.unicodeScalars.map(\.value) : [scalar.value]
        }

        func result(of scalar: Unicode.Scalar) -> [UInt32] {
            cleaned(scalar).flatMap(decomposed).compactMap { Unicode.Scalar($0) }.flatMap(finished)
        }

        func entry(for scalar: Unicode.Scalar) -> UInt32 {
            let keepsMark = cleaned(scalar).flatMap(decomposed).contains { part in
                guard let part = Unicode.Scalar(part) else { return false }
                return UnicodeForm.combiningClass(part) != 0 && !CharacterClasses.isNonspacingMark(part)
            }
            if stripsAccents, keepsMark { return Entry.needsOrder }
            let parts = result(of: scalar)
            if parts.isEmpty { return Entry.drop }
            if parts == [scalar.value] { return Entry.keep }
            if parts.count == 1 { return Entry.replace | parts[0] }
            if parts.count == 3, parts[0] == 0x20, parts[2] == 0x20 { return Entry.surroundWithSpaces | parts[1] }
            return Entry.expand
        }
    }
}
