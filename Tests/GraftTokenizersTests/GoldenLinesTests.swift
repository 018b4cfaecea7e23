import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTokenizers

/// Every line of every data set against hashes over what Hugging Face `tokenizers` 0.23.3 made of
/// it. Of each tokenizer it is every third data set, but with GRAFT_TEST_WHOLE=1 (`make
/// test-whole`); without optimisation, every sixteenth line of those.
@Suite("Lines of the data sets are encoded as tokenizers 0.23.3 does")
struct GoldenLinesTests {
    @Test("Ids, type ids, offsets and words are equal", arguments: TestFiles.names)
    func encodings(_ name: String) throws {
        let tokenizer = try TestFiles.tokenizer(name)
        #if DEBUG
            let step = 16
        #else
            let step = 1
        #endif
        let first = TestFiles.names.firstIndex(of: name).map { $0 % TestFiles.sampleStep } ?? 0
        let rows = try TestFiles.lines(TestFiles.goldens + "/\(name).lines.tsv")
        for number in stride(from: first, to: rows.count, by: TestFiles.sampleStep) {
            let row = rows[number]
            let fields = row.split(separator: "\t").map(String.init)
            try #require(fields.count == 5)
            let file = try MappedFile.contents(of: TestData.path("data/" + fields[0]))
            let lines = file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            #expect(lines.count == Int(fields[1]))
            var hash: UInt64 = 0
            for index in stride(from: 0, to: lines.count, by: step) {
                hash = GoldenHash.chain(hash, try hashOfLine(Array(lines[index]), tokenizer))
            }
            #expect(GoldenHash.hexadecimal(hash) == fields[step == 1 ? 3 : 4], "\(fields[0])")
        }
    }

    private func hashOfLine(_ line: [UInt8], _ tokenizer: Tokenizer) throws -> UInt64 {
        var text = line
        if line.withUnsafeBufferPointer({ UTF8Validation.firstInvalid($0) }) != nil {
            text = Array(String(String.UnicodeScalarView(line.map { Unicode.Scalar($0) })).utf8)
        }
        return try text.withUnsafeBufferPointer { text in
            let encoding = try tokenizer.encode(text, Tokenizer.Options(shortening: .none))
            let offsets = encoding.characterOffsets(in: text)
            return GoldenHash.ofLine([
                encoding.ids, encoding.typeIDs, offsets.map(\.start), offsets.map(\.end), encoding.wordIDs,
            ])
        }
    }
}
