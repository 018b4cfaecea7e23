/// Sets of scalars by name, and the scalars that are one where case is ignored, exactly as the
/// regular expressions of Hugging Face `tokenizers` see them: Oniguruma's, with Unicode 16.
///
/// `UnicodeTable` holds them as text. A number is written in digits of five bits, the lowest first,
/// the sixth bit saying that more follow, and each number is the distance from the one before it;
/// of scripts each second number is the script. The kinds of grapheme clusters are those of Unicode
/// 17.
enum UnicodeProperties {
    /// The scalars of `\p{name}`: a category, a script, a block (`In_…`) or a property. Letter
    /// case, spaces, `_` and `-` in the name do not matter. Nil for a name that is none.
    static func property(_ name: some StringProtocol) -> ScalarSet? {
        let plain = name.unicodeScalars.filter { !" _-".unicodeScalars.contains($0) }
        guard plain.allSatisfy(\.isASCII) else { return nil }
        return set(String(String.UnicodeScalarView(plain)).lowercased())
    }

    /// The scalars of `[:name:]` inside brackets.
    static func bracket(_ name: some StringProtocol) -> ScalarSet? { set("[:\(name):]") }

    /// What `\w` matches outside brackets; inside, `[:word:]`.
    static let word = set("escape w") ?? .none
    static let whitespace = bracket("space") ?? .none
    static let digit = bracket("digit") ?? .none
    static let hexadecimalDigit = bracket("xdigit") ?? .none

    /// What `\w` matches in Rust's regular expressions.
    static let rustWord = set("rust word") ?? .none

    /// The characters of one kind where grapheme clusters are told apart (see `GraphemeClusters`).
    static func cluster(_ kind: String) -> ScalarSet { set("cluster \(kind)") ?? .none }

    /// The script of a character where SentencePiece divides text by them, a number from 1; 0 for
    /// none.
    static func script(_ scalar: Unicode.Scalar) -> UInt8 {
        let run = ScalarSet.count(of: scriptRuns.starts, upTo: scalar.value)
        return run > 0 ? scriptRuns.scripts[run - 1] : 0
    }

    /// Where runs of characters of one script begin, and which it is.
    private static let scriptRuns: (starts: [UInt32], scripts: [UInt8]) = {
        var (starts, scripts): ([UInt32], [UInt8]) = ([], [])
        let pairs = distances(bytes(UnicodeTable.scripts))
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            starts.append((starts.last ?? 0) + pairs[index])
            scripts.append(UInt8(truncatingIfNeeded: pairs[index + 1]))
        }
        return (starts, scripts)
    }()

    private static func set(_ name: String) -> ScalarSet? {
        places[name].map { ScalarSet(edges: numbers(bytes(UnicodeTable.sets)[$0])) }
    }

    /// Where in the table each set is, by name.
    private static let places: [String: Range<Int>] = {
        var places: [String: Range<Int>] = [:]
        for line in bytes(UnicodeTable.sets).split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.lastIndex(of: UInt8(ascii: ":")) else { continue }
            for name in line[..<colon].split(separator: UInt8(ascii: ",")) {
                places[String(decoding: name, as: UTF8.self)] = colon + 1..<line.endIndex
            }
        }
        return places
    }()

    private static func bytes(_ text: StaticString) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    private static func numbers(_ digits: some Sequence<UInt8>) -> [UInt32] {
        distances(digits).reduce(into: []) { $0.append(($0.last ?? 0) &+ $1) }
    }

    private static func distances(_ digits: some Sequence<UInt8>) -> [UInt32] {
        var result: [UInt32] = []
        var (value, shift): (UInt32, UInt32) = (0, 0)
        for digit in digits {
            let bits = bits(digit)
            value |= (bits & 31) << shift
            shift += 5
            if bits < 32 {
                result.append(value)
                (value, shift) = (0, 0)
            }
        }
        return result
    }

    private static func bits(_ digit: UInt8) -> UInt32 {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A")) + 10
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 36
        case UInt8(ascii: "+"): 62
        default: 63
        }
    }

    // MARK: Letter case

    /// For every scalar that has others beside it where case is ignored: all of them, itself
    /// included, ascending.
    private static let orbits: [UInt32: [UInt32]] = {
        var orbits: [UInt32: [UInt32]] = [:]
        for group in bytes(UnicodeTable.orbits).split(separator: UInt8(ascii: " ")) {
            let orbit = numbers(group)
            for scalar in orbit { orbits[scalar] = orbit }
        }
        return orbits
    }()

    /// A set with all scalars that are one with its members where case is ignored.
    static func ignoringCase(_ set: ScalarSet) -> ScalarSet {
        let added = orbits.lazy.filter { set.contains($0.key) }.flatMap(\.value).sorted()
        var edges: [UInt32] = []
        for scalar in added {
            if let last = edges.last, last > scalar { continue }
            if edges.last == scalar { edges[edges.count - 1] += 1 } else { edges += [scalar, scalar + 1] }
        }
        return set.union(ScalarSet(edges: edges))
    }

    /// Scalars that are one with a sequence of several where case is ignored, such as "ß" with
    /// "ss".
    static let folded = ScalarSet(
        edges: numbers(bytes(UnicodeTable.folded)).reduce(into: []) { edges, scalar in
            if edges.last == scalar { edges[edges.count - 1] += 1 } else { edges += [scalar, scalar + 1] }
        })

    /// Those sequences, in the least scalar of each orbit.
    private static let folds: Set<[UInt32]> = Set(
        bytes(UnicodeTable.folds).split(separator: UInt8(ascii: " ")).map { distances($0).map(least) })

    private static func least(_ scalar: UInt32) -> UInt32 { orbits[scalar]?.first ?? scalar }

    /// The part of a sequence that is one with a single scalar where case is ignored; nil for none.
    static func fold(in scalars: [UInt32]) -> ArraySlice<UInt32>? {
        let plain = scalars.map(least)
        for start in plain.indices {
            for length in 2...3 where start + length <= plain.count {
                if folds.contains(Array(plain[start..<start + length])) { return scalars[start..<start + length] }
            }
        }
        return nil
    }
}
