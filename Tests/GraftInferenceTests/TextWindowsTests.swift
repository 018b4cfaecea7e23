import GraftAdapters
import GraftTensor
import GraftTestSupport
import GraftTokenizers
import Testing

@testable import GraftInference

/// Long texts to windows, labels of their tokens to those of the windows, and back.
@Suite struct TextWindowsTests {
    private static let texts = [
        "Mara told you that Zoë Ångström and I had watered the plants of the Botanic Garden in São Paulo.", "", "Oslo",
        "I told Mara that you would water the plants.",
    ]

    private struct Made {
        let whole: [Encoding]
        let windows: TextWindows
        var counts: [Int] { whole.map(\.count) }
    }

    private func made(_ length: Int?, stride: Int, _ name: String = "minilm") throws -> Made {
        let tokenizer = try Tokenizer(folder: TestData.model(name))
        let whole = try Self.texts.map { try tokenizer.encode($0, Tokenizer.Options(shortening: .none)) }
        var windows = TextWindows(maximumLength: length, isChosen: true)
        for encoding in whole { try windows.append(encoding, stride: stride) }
        return Made(whole: whole, windows: windows)
    }

    private func spread(_ made: Made, _ numbers: [Int32], once: Bool, _ scheme: TagScheme? = nil) throws -> [Int32] {
        try numbers.withUnsafeBufferPointer { numbers throws(GraftError) in
            try made.windows.spread(numbers, once: once, scheme)
        }
    }

    @Test("Numbers that are spread come back, and each counts once where it is told", arguments: [3, 4, 7, 12, nil])
    func thereAndBack(length: Int?) throws {
        for stride in 0..<(length.map { $0 - 2 } ?? 2) {
            let made = try made(length, stride: stride)
            let rows = made.windows.rows
            #expect((0..<rows.rowCount).allSatisfy { rows.range(ofRow: $0).count <= length ?? 100 })
            let ids = made.whole.flatMap(\.ids)
            #expect(try spread(made, ids, once: false) == Array(rows.tokens), "the windows' own tokens")
            let numbers = (0..<Int32(ids.count)).map { $0 }
            let everywhere = try spread(made, numbers, once: false)
            let joined = try everywhere.withUnsafeBufferPointer { try made.windows.join($0) }
            #expect(joined == numbers)
            let once = try spread(made, numbers, once: true)
            #expect(once.filter { $0 >= 0 }.sorted() == numbers, "none twice")
            #expect(zip(once, everywhere).allSatisfy { $0 == -100 || $0 == $1 })
        }
    }

    @Test("A token's number is that of the window in which the most tokens are around it")
    func around() throws {
        let made = try made(8, stride: 4)
        let rows = made.windows.rows
        // Of each window its tokens' distance from the nearer end, which joined is the largest.
        var distances: [Int32] = []
        for row in 0..<rows.rowCount {
            let count = rows.range(ofRow: row).count
            distances += (0..<count).map { Int32(min($0, count - 1 - $0)) }
        }
        let joined = try distances.withUnsafeBufferPointer { try made.windows.join($0) }
        #expect(joined.prefix(made.counts[0] - 4).dropFirst(4).allSatisfy { $0 >= 2 })
    }

    @Test("No entity and no word is divided between windows where they share enough", arguments: [8, 9, 12])
    func undivided(length: Int) throws {
        let scheme = try #require(TagScheme(labels: ["O", "B-X", "I-X"]))
        let made = try made(length, stride: (length - 2) / 2)
        var seed: UInt64 = 7
        for _ in 0..<50 {
            // Words of one or two tokens, entities of one to three, anywhere.
            var numbers: [Int32] = []
            for count in made.counts {
                var own = [Int32](repeating: -100, count: count)
                var place = 1
                while place < count - 1 {
                    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let isEntity = (seed >> 33) % 3 == 0
                    own[place] = isEntity ? 1 : 0
                    place += 1 + Int((seed >> 40) % 2)
                    guard isEntity, (seed >> 45) % 2 == 0, place < count - 1 else { continue }
                    own[place] = 2
                    place += 1
                }
                numbers += own
            }
            let rows = made.windows.rows
            let once = try spread(made, numbers, once: true, scheme)
            var spans: [TagScheme.Span] = []
            for row in 0..<rows.rowCount {
                let own = once[rows.range(ofRow: row)].filter { $0 >= 0 }
                #expect(own.first != 2, "a window does not begin within an entity")
                scheme.entities(own, into: &spans)
            }
            var whole: [TagScheme.Span] = []
            var first = 0
            for count in made.counts {
                scheme.entities(numbers[first..<first + count].filter { $0 >= 0 }, into: &whole)
                first += count
            }
            #expect(spans.count == whole.count)
        }
    }
}
