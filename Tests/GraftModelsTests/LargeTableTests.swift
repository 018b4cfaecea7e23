import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Glibc
import Testing

/// A table of 77 MB that is read where it is stored.
@Suite struct LargeTableTests {
    private static let rowCount = 600_000
    private let folder: String

    /// bert-tiny with the same rows over and over for its words.
    init() throws {
        folder = try Goldens.copyOfModel("bert-tiny/base", changing: ["vocab_size": .integer(Self.rowCount)])
        let path = folder + "/model.safetensors"
        let file = try SafetensorsFile(path: path, copies: true)
        let name = "embeddings.word_embeddings.weight"
        let own = try Goldens.floats(file, name)
        let table = try Memory(byteCount: Self.rowCount * 32 * 4)
        for first in stride(from: 0, to: Self.rowCount * 32, by: own.count) {
            table.floats(from: first).update(from: own, count: own.count)
        }
        var tensors: [SafetensorsWriter.Tensor] = []
        for tensor in file.tensors {
            let bytes = tensor.withBytes { $0 }
            tensors.append((tensor.name, tensor.elementType, tensor.shape, bytes))
            guard tensor.name == name else { continue }
            let words = UnsafeRawBufferPointer(start: table.base, count: Self.rowCount * 32 * 4)
            tensors[tensors.count - 1] = (name, tensor.elementType, [Self.rowCount, 32], words)
        }
        // The copy is a link to the golden.
        unlink(path)
        try SafetensorsWriter.write(tensors: tensors, to: path)
        withExtendedLifetime((file, table)) {}
    }

    /// Kilobytes of a file's mapping that are in this process's memory.
    private func residentKilobytes(of path: String) throws -> Int {
        let file = try #require(fopen("/proc/self/smaps", "r"))
        defer { fclose(file) }
        var (line, capacity, isInside, sum) = (UnsafeMutablePointer<CChar>?.none, 0, false, 0)
        defer { free(line) }
        while getline(&line, &capacity, file) > 0, let line {
            let words = String(cString: line).split(whereSeparator: \.isWhitespace)
            // A mapping begins with its addresses, and what is known of it follows.
            if words.first?.contains("-") == true { isInside = words.last.map(String.init) == path }
            if isInside, words.first == "Rss:" { sum += Int(words[1]) ?? 0 }
        }
        return sum
    }

    @Test("Rows are the table's, wherever they are in it, and do not stay in memory", arguments: [1, 40, 300])
    func rowsDoNotStay(tokenCount: Int) throws {
        let model = try Architectures.load(path: folder, precision: .float32)
        let small = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        let pass = try Pass(team: try Team(threadCount: 2))
        func states(_ model: Model, _ rows: RowBatch) throws -> [Float] {
            try pass.begin(rows, rows: 0..<rows.rowCount) { _ in nil }
            let output = try model.forward(pass).matrix
            return Array(UnsafeBufferPointer(start: output.base, count: output.count))
        }
        var random = RandomNumbers(seed: 7, stream: "tokens")
        var (rows, same) = (RowBatch(), RowBatch())
        var left = tokenCount
        while left > 0 {
            let tokens = (0..<min(left, 50)).map { _ in Int32(random.below(Self.rowCount)) }
            rows.append(tokens: tokens, types: nil as [Int32]?)
            same.append(tokens: tokens.map { $0 % 120 }, types: nil as [Int32]?)
            left -= tokens.count
        }
        #expect(try states(model, rows) == states(small, same))
        let path = String(cString: try #require(realpath(folder + "/model.safetensors", nil)))
        #expect(try residentKilobytes(of: path) < 4096)
        // What the measure says where pages stay.
        let bytes = try MappedFile(path: path)
        let before = try residentKilobytes(of: path)
        var sum = 0
        for offset in stride(from: 0, to: bytes.bytes.count, by: 4096) { sum += Int(bytes.bytes[offset]) }
        #expect(sum > 0)
        #expect(try residentKilobytes(of: path) - before > 70 << 10)
        withExtendedLifetime(bytes) {}
    }
}
