import CUTF8Proc

/// The four normalisation forms of Unicode (UAX #15), with the version and the bookkeeping of
/// Hugging Face `tokenizers`: characters younger than Unicode 9 stay as they are and do not
/// combine.
enum UnicodeForm: Sendable {
    case nfd, nfc, nfkd, nfkc

    var isComposed: Bool { self == .nfc || self == .nfkc }
    private var isCompatible: Bool { self == .nfkd || self == .nfkc }

    /// A character with what it does to the text (see `Transform`).
    typealias Step = (scalar: UInt32, change: Int)

    /// A character's full decomposition.
    func decomposition(of scalar: Unicode.Scalar) -> [UInt32] {
        guard scalar.value >= 0x80, CharacterClasses.isOf(scalar, unicode: 9) else { return [scalar.value] }
        var options = UTF8PROC_STABLE.rawValue | UTF8PROC_DECOMPOSE.rawValue
        if isCompatible { options |= UTF8PROC_COMPAT.rawValue }
        // The longest compatibility decomposition, of U+FDFA, has 18 characters.
        var parts = [Int32](repeating: 0, count: 32)
        var boundary: Int32 = 0
        let count = utf8proc_decompose_char(
            Int32(bitPattern: scalar.value), &parts, parts.count, utf8proc_option_t(rawValue: options), &boundary)
        guard count > 0, count <= parts.count else { return [scalar.value] }
        return parts[..<count].map { UInt32(bitPattern: $0) }
    }

    /// The canonical combining class; 0 is a starter.
    static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
        guard scalar.value >= 0x300, CharacterClasses.isOf(scalar, unicode: 9) else { return 0 }
        return scalar.properties.canonicalCombiningClass.rawValue
    }

    /// The character that two characters in a row compose to.
    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        var pair = [Int32(bitPattern: first), Int32(bitPattern: second)]
        let options = UTF8PROC_STABLE.rawValue | UTF8PROC_COMPOSE.rawValue
        let count = utf8proc_normalize_utf32(&pair, 2, utf8proc_option_t(rawValue: options))
        guard count == 1, let composed = Unicode.Scalar(UInt32(bitPattern: pair[0])),
            CharacterClasses.isOf(composed, unicode: 9)
        else { return nil }
        return composed.value
    }

    /// Whether a character stays as it is whatever stands beside it, and keeps what is before and
    /// after it apart.
    func isInert(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return true }
        guard Self.combiningClass(scalar) == 0 else { return false }
        let parts = decomposition(of: scalar)
        guard isComposed else { return parts == [scalar.value] }
        // Marks and jamo may compose with what stands before them.
        if (0x1100...0x11FF).contains(scalar.value) || CharacterClasses.isMark(scalar) { return false }
        return Self.composed(parts.map { ($0, 0) }).map(\.scalar) == [scalar.value]
    }

    /// The steps that bring characters into this form.
    func steps(_ scalars: [Unicode.Scalar]) -> [Step] {
        let decomposed = decomposed(scalars)
        return isComposed ? Self.composed(decomposed) : decomposed
    }

    /// Every character decomposed, and marks between starters in the order of their classes.
    private func decomposed(_ scalars: [Unicode.Scalar]) -> [Step] {
        var steps: [Step] = []
        var pending: [(order: UInt8, step: Step)] = []
        func flush() {
            // The standard library's sort is stable, which canonical ordering needs.
            pending.sort { $0.order < $1.order }
            steps.append(contentsOf: pending.map(\.step))
            pending.removeAll(keepingCapacity: true)
        }
        for scalar in scalars {
            for (index, part) in decomposition(of: scalar).enumerated() {
                let order = Unicode.Scalar(part).map(Self.combiningClass) ?? 0
                if order == 0 { flush() }
                pending.append((order, (part, index == 0 ? 0 : 1)))
            }
        }
        flush()
        return steps
    }

    /// Starters composed with the marks after them that nothing blocks.
    private static func composed(_ steps: [Step]) -> [Step] {
        var result: [Step] = []
        var starter: Step?
        var marks: [Step] = []
        var lastOrder: UInt8?
        func flush() {
            if let starter { result.append(starter) }
            result.append(contentsOf: marks)
            marks.removeAll(keepingCapacity: true)
            lastOrder = nil
        }
        for step in steps {
            let order = Unicode.Scalar(step.scalar).map(combiningClass) ?? 0
            guard let current = starter else {
                if order == 0 { starter = step } else { result.append(step) }
                continue
            }
            let isBlocked = lastOrder.map { $0 >= order } ?? false
            if !isBlocked, let composed = composition(current.scalar, step.scalar) {
                starter = (composed, current.change + step.change - 1)
            } else if order == 0 {
                flush()
                starter = step
            } else {
                marks.append(step)
                lastOrder = order
            }
        }
        flush()
        return result
    }
}
