import Testing

@testable import GraftTokenizers

/// Unicode scalars against what Hugging Face `tokenizers` 0.23.3 takes it for.
@Suite("Characters are what tokenizers 0.23.3 takes them for")
struct UnicodeTests {
    private static let scalars = (UInt32(0)..<0x110000).compactMap { Unicode.Scalar($0) }

    /// Beyond these are planes without assigned characters and planes of private use.
    private static let assignedPlanes = scalars.filter { $0.value < 0x33480 || (0xE0000..<0xE0200).contains($0.value) }

    private static func golden(_ name: String) throws -> (count: Int, hash: String) {
        for line in try TestFiles.lines(TestFiles.goldens + "/unicode.tsv") {
            let fields = line.split(separator: "\t").map(String.init)
            if fields.count == 3, fields[0] == name { return (Int(fields[1]) ?? -1, fields[2]) }
        }
        return (-1, "no golden called \(name)")
    }

    private static let classes: [(String, @Sendable (Unicode.Scalar) -> Bool)] = [
        ("bert control", CharacterClasses.isBertControl), ("white space", CharacterClasses.isWhitespace),
        ("punctuation", CharacterClasses.isPunctuation), ("bert chinese", CharacterClasses.isBertChinese),
        ("nonspacing mark", CharacterClasses.isNonspacingMark), ("mark", CharacterClasses.isMark),
    ]

    @Test("Classes of characters", arguments: classes.map(\.0))
    func members(_ name: String) throws {
        let belongs = try #require(Self.classes.first { $0.0 == name }).1
        let members = Self.scalars.filter(belongs)
        let hash = members.reduce(0) { GoldenHash.chain($0, UInt64($1.value)) }
        let golden = try Self.golden(name)
        #expect(members.count == golden.count)
        #expect(GoldenHash.hexadecimal(hash) == golden.hash)
    }

    @Test("Single characters in the four forms")
    func forms() throws {
        for (name, form) in [("nfc", UnicodeForm.nfc), ("nfd", .nfd), ("nfkc", .nfkc), ("nfkd", .nfkd)] {
            try check("\(name) of one") {
                [$0]
            } after: {
                form.steps($0).map(\.scalar)
            }
        }
    }

    @Test("Characters among marks are ordered and composed")
    func marks() throws {
        for (name, form) in [("nfc", UnicodeForm.nfc), ("nfd", .nfd)] {
            try check("\(name) among marks") {
                ["e", "\u{345}", $0, "\u{323}", "\u{334}"]
            } after: {
                form.steps($0).map(\.scalar)
            }
        }
    }

    @Test("Lower case")
    func lowercase() throws {
        try check("lowercase") {
            [$0]
        } after: {
            $0[0].properties.lowercaseMapping.unicodeScalars.map(\.value)
        }
    }

    @Test("Where scripts change")
    func scripts() throws {
        var text = WorkingText()
        let all = String(String.UnicodeScalarView(Self.assignedPlanes))
        let ends = try Array(all.utf8).withUnsafeBufferPointer { bytes in
            text.begin(bytes)
            try ScriptPreTokenizer().divide(&text)
            let counts = bytes.reduce(into: [0]) { $0.append(($0.last ?? 0) + ($1 & 0xC0 == 0x80 ? 0 : 1)) }
            return text.pieces.elements.map { counts[Int($0.end)] }
        }
        let golden = try Self.golden("ends of scripts")
        #expect(ends.count == golden.count)
        #expect(GoldenHash.hexadecimal(ends.reduce(0) { GoldenHash.chain($0, UInt64($1)) }) == golden.hash)
    }

    /// The law that lets stages pass over inert characters.
    @Test("An inert character stays and keeps its neighbours apart")
    func inert() {
        for form in [UnicodeForm.nfc, .nfd, .nfkc, .nfkd] {
            for scalar in Self.assignedPlanes where scalar.value % 5 == 0 && form.isInert(scalar) {
                let before = form.steps(["e", "\u{323}"]).map(\.scalar)
                let all = form.steps(["e", "\u{323}", scalar]).map(\.scalar)
                if all != before + [scalar.value] { Issue.record("U+\(String(scalar.value, radix: 16)) in \(form)") }
            }
        }
    }

    private func check(
        _ name: String, _ text: (Unicode.Scalar) -> [Unicode.Scalar], after form: ([Unicode.Scalar]) -> [UInt32]
    ) throws {
        var hash: UInt64 = 0
        var changed = 0
        for scalar in Self.assignedPlanes {
            let result = form(text(scalar))
            if result != [scalar.value] { changed += 1 }
            for part in result { hash = GoldenHash.chain(hash, UInt64(part)) }
        }
        let golden = try Self.golden(name)
        #expect(changed == golden.count, "\(name)")
        #expect(GoldenHash.hexadecimal(hash) == golden.hash, "\(name)")
    }
}
