import GraftTensor
import Testing

@testable import GraftTokenizers

/// Sets of scalars against what Hugging Face `tokenizers` 0.23.3 matches, over all of Unicode.
@Suite("Regular expressions see the characters that tokenizers 0.23.3 sees")
struct UnicodePropertiesTests {
    private static func goldens() throws -> [[String]] {
        try TestFiles.lines(TestFiles.goldens + "/properties.tsv").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private static func set(_ name: String) -> ScalarSet? {
        switch name {
        case "rust word": UnicodeProperties.rustWord
        case "\\w": UnicodeProperties.word
        case "\\s": UnicodeProperties.whitespace
        case "\\d": UnicodeProperties.digit
        case "\\h": UnicodeProperties.hexadecimalDigit
        default:
            name.hasPrefix("cluster ")
                ? UnicodeProperties.cluster(String(name.dropFirst(8)))
                : name.hasPrefix("[:")
                    ? UnicodeProperties.bracket(name.dropFirst(2).dropLast(2)) : UnicodeProperties.property(name)
        }
    }

    @Test("Every property, bracket and escape holds the same scalars")
    func sets() throws {
        let goldens = try Self.goldens()
        #expect(goldens.count > 900)
        for golden in goldens {
            let edges = try #require(Self.set(golden[0]), "\(golden[0])").edges
            #expect(edges == edges.sorted() && edges.count % 2 == 0)
            var count = 0
            var hash: UInt64 = 0
            for pair in stride(from: 0, to: edges.count, by: 2) {
                for scalar in edges[pair]..<edges[pair + 1] where Unicode.Scalar(scalar) != nil {
                    count += 1
                    hash = GoldenHash.chain(hash, UInt64(scalar))
                }
            }
            #expect(String(count) == golden[1] && GoldenHash.hexadecimal(hash) == golden[2], "\(golden[0])")
        }
    }

    @Test("Sets are united, intersected and inverted")
    func algebra() {
        let (letters, vowels) = (ScalarSet(0x61...0x7A), ScalarSet(0x61, 0x65, 0x69, 0x6F, 0x75, 0x30))
        for scalar in UInt32(0)..<0x100 {
            let (isLetter, isVowel) = (letters.contains(scalar), vowels.contains(scalar))
            #expect(letters.union(vowels).contains(scalar) == (isLetter || isVowel))
            #expect(letters.intersection(vowels).contains(scalar) == (isLetter && isVowel))
            #expect(letters.subtracting(vowels).contains(scalar) == (isLetter && !isVowel))
            #expect(letters.inverted.contains(scalar) == !isLetter)
        }
        #expect(letters.inverted.inverted == letters && ScalarSet.all.inverted == .none)
    }
}
