/// Where extended grapheme clusters end (UAX #29): what one sees as a character, such as a letter
/// with its accents, as Hugging Face `tokenizers` divides text, with Unicode 17.
///
/// Regional indicators are not told apart from other characters: two of them, a flag, are longer
/// than any cluster that is looked at as a whole, and one by itself cannot be told from its
/// cluster.
enum GraphemeClusters {
    /// What a character does to its neighbours; the marks `linker` and `bridge` come on top.
    enum Class {
        static let other: UInt8 = 0
        static let carriageReturn: UInt8 = 1
        static let lineFeed: UInt8 = 2
        static let control: UInt8 = 3
        /// Joins what is before it, and what is before that after a joiner.
        static let extending: UInt8 = 4
        static let joiner: UInt8 = 5
        static let spacing: UInt8 = 6
        static let prepended: UInt8 = 7
        /// Jamo of Hangul, and their syllables without and with a final consonant.
        static let leading: UInt8 = 8
        static let vowel: UInt8 = 9
        static let trailing: UInt8 = 10
        static let openSyllable: UInt8 = 11
        static let closedSyllable: UInt8 = 12
        static let pictographic: UInt8 = 13
        /// A consonant of an Indic script.
        static let consonant: UInt8 = 14

        static let mask: UInt8 = 15
        /// Links two consonants into a conjunct.
        static let linker: UInt8 = 16
        /// May stand between consonant and linker.
        static let bridge: UInt8 = 32
    }

    private static let classes = ScalarTable<UInt8>(surrogateValue: Class.other) { scalar in
        switch scalar.value {
        case 0: return Class.control
        case 0x0D: return Class.carriageReturn
        case 0x0A: return Class.lineFeed
        case 0x200D: return Class.joiner | Class.bridge
        case 0xAC00...0xD7A3: return (scalar.value - 0xAC00) % 28 == 0 ? Class.openSyllable : Class.closedSyllable
        default: break
        }
        let kind = sets.first { $0.members.contains(scalar.value) }?.kind ?? Class.other
        return marks.reduce(kind) { $1.members.contains(scalar.value) ? $0 | $1.mark : $0 }
    }

    private static let sets: [(kind: UInt8, members: ScalarSet)] = [
        (Class.control, UnicodeProperties.cluster("control")), (Class.extending, UnicodeProperties.cluster("extend")),
        (Class.spacing, UnicodeProperties.cluster("spacing")), (Class.prepended, UnicodeProperties.cluster("prepend")),
        (Class.leading, UnicodeProperties.cluster("leading")), (Class.vowel, UnicodeProperties.cluster("vowel")),
        (Class.trailing, UnicodeProperties.cluster("trailing")),
        (Class.pictographic, UnicodeProperties.cluster("pictographic")),
        (Class.consonant, UnicodeProperties.cluster("consonant")),
    ]

    private static let marks: [(mark: UInt8, members: ScalarSet)] = [
        (Class.linker, UnicodeProperties.cluster("linker")), (Class.bridge, UnicodeProperties.cluster("bridge")),
    ]

    /// The end of the cluster that starts at a position. What is before it does not matter.
    static func end(of position: Int, in source: TextView, before limit: Int) -> Int {
        var (scalar, length) = source.scalar(at: position)
        var last = classes[scalar]
        var end = position + length
        /// Whether an emoji, which a joiner connects with the next one, has been met, and is not
        /// over.
        var isEmoji = false
        var isJoined = false
        var hasConsonant = false
        var hasLinker = false
        while end < limit {
            let kind = last & Class.mask
            isJoined = kind == Class.joiner && isEmoji
            isEmoji = kind == Class.pictographic || isEmoji && kind == Class.extending
            if kind == Class.consonant {
                (hasConsonant, hasLinker) = (true, false)
            } else if last & Class.linker != 0 {
                hasLinker = hasConsonant
            } else if last & Class.bridge == 0 {
                (hasConsonant, hasLinker) = (false, false)
            }
            (scalar, length) = source.scalar(at: end)
            let next = classes[scalar]
            guard joins(kind, next & Class.mask, isJoined: isJoined, isLinked: hasLinker) else { break }
            last = next
            end += length
        }
        return end
    }

    /// Whether there is no end between two neighbours: rules GB3 to GB11.
    @inline(__always)
    private static func joins(_ last: UInt8, _ next: UInt8, isJoined: Bool, isLinked: Bool) -> Bool {
        switch (last, next) {
        case (Class.other, Class.other): false
        case (Class.carriageReturn, Class.lineFeed): true
        case (Class.carriageReturn...Class.control, _), (_, Class.carriageReturn...Class.control): false
        case (Class.leading, Class.leading), (Class.leading, Class.vowel),
            (Class.leading, Class.openSyllable...Class.closedSyllable):
            true
        case (Class.openSyllable, Class.vowel...Class.trailing), (Class.vowel, Class.vowel...Class.trailing): true
        case (Class.closedSyllable, Class.trailing), (Class.trailing, Class.trailing): true
        case (_, Class.extending...Class.spacing), (Class.prepended, _): true
        case (_, Class.consonant): isLinked
        case (Class.joiner, Class.pictographic): isJoined
        default: false
        }
    }
}
