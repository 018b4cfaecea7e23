import CGraftKernels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftFormats

@Suite("GGUF files")
struct GGUFTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test("Blocks of every type are the numbers that the gguf package makes of them, bit for bit")
    func blocks() throws {
        let file = try GGUFFile(path: Goldens.path("gguf-blocks/blocks.gguf"))
        let expected = try SafetensorsFile(path: Goldens.path("gguf-blocks/expected.safetensors"))
        let readable = BlockType.allCases.filter { $0.kernelType != nil && $0 != .float64 }
        #expect(Set(file.header.entries.map(\.type)) == Set(readable))
        for entry in file.header.entries {
            let type = try #require(entry.type.kernelType)
            let numbers = try Goldens.floats(expected, entry.name)
            try #require(numbers.count == entry.shape.reduce(1, *))
            let rows = try TensorRows(
                file.file, range: entry.range, type: type, name: entry.name, path: file.path)
            let best = String(cString: gk_path_name())
            defer { _ = gk_choose_path(best) }
            for path in ["portable", "avx2", "avx512"] where gk_choose_path(path) {
                var found = [Float](repeating: -7, count: numbers.count + 1)
                rows.copy(count: numbers.count, into: &found)
                #expect(found.last == -7)
                let wrong = zip(found, numbers).filter { $0.bitPattern != $1.bitPattern && !($0.isNaN && $1.isNaN) }
                #expect(wrong.isEmpty, "\(entry.name), \(path): \(wrong.count) wrong")
            }
        }
    }

    @Test("Numbers become the blocks that the gguf package makes of them, bit for bit")
    func quantised() throws {
        let file = try SafetensorsFile(path: Goldens.path("gguf-blocks/quantised.safetensors"))
        let numbers = try Goldens.floats(file, "numbers")
        let blocks = try #require(file["Q8_0"])
        var found = [UInt8](repeating: 7, count: numbers.count / 32 * 34 + 1)
        gk_to_q8_0(Int64(numbers.count), numbers, &found)
        #expect(found.last == 7)
        let expected = blocks.withBytes { bytes in
            (0..<found.count - 1).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
        }
        #expect(expected == found.dropLast().map { Int32($0) })
    }

    @Test("Keys hold what was written")
    func keys() throws {
        let file = try open(
            GGUFBuilder([
                ("a", .unsigned32(7)), ("b", .float32(0.5)), ("c", .bool(true)), ("d", .string("é")),
                ("e", .strings(["x", "", "日本"])), ("f", .integers([-1, 2])), ("g", .floats([0.25])),
                ("h", .raw(10, GGUFBuilder.little(UInt64.max))),
            ]))
        let header = file.header
        #expect(try header.optionalInt("a") == 7)
        #expect(try header.optionalDouble("b") == 0.5)
        #expect(try header.optionalBool("c") == true)
        #expect(try header.optionalString("d") == "é")
        var texts: [String] = []
        try file.forEachText(of: "e") { _, text in texts.append(String(decoding: text, as: UTF8.self)) }
        #expect(texts == ["x", "", "日本"])
        #expect(try file.numbers(of: "f") == [-1, 2])
        #expect(try file.numbers(of: "g") == [0.25])
        #expect(try header.optionalDouble("h") == 0x1p64)
        #expect(try header.optionalInt("none") == nil)
    }

    @Test("A tensor has its shape as a checkpoint has it, at its place")
    func tensors() throws {
        var builder = GGUFBuilder()
        builder.tensors = [("first", [3, 2], 0, 0), ("second", [32], 8, 32)]
        builder.data = [UInt8](repeating: 1, count: 32 + 34)
        let entries = try open(builder).header.entries
        #expect(entries.map(\.shape) == [[2, 3], [32]])
        #expect(entries.map(\.range.count) == [24, 34])
        #expect(entries[1].range.lowerBound - entries[0].range.lowerBound == 32)
    }

    @Test("A file that is cut anywhere is refused, and so is one with any byte changed, or it reads")
    func cutsAndChanges() throws {
        var builder = GGUFBuilder([
            ("general.architecture", .string("llama")), ("list", .strings(["a", "bc"])), ("n", .unsigned32(3)),
        ])
        builder.tensors = [("w", [32, 2], 2, 0), ("x", [4], 0, 64)]
        builder.data = [UInt8](repeating: 0x55, count: 80)
        let bytes = builder.bytes
        _ = try header(bytes)
        for count in bytes.indices { #expect(throws: GraftError.self) { try header(Array(bytes[..<count])) } }
        for place in bytes.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
                var changed = bytes
                changed[place] = value
                for entry in (try? header(changed))?.entries ?? [] {
                    #expect(entry.range.upperBound <= changed.count)
                    #expect(entry.type.byteCount(shape: entry.shape) == entry.range.count)
                }
            }
        }
    }

    struct Attack: CustomTestStringConvertible {
        let name: String
        let words: [String]
        let code: GraftError.Code
        let change: @Sendable (inout GGUFBuilder) -> Void

        var testDescription: String { name }

        init(
            _ name: String, _ words: [String], _ code: GraftError.Code = .corruptFile,
            _ change: @escaping @Sendable (inout GGUFBuilder) -> Void
        ) {
            (self.name, self.words, self.code, self.change) = (name, words, code, change)
        }
    }

    static let attacks = [
        Attack("version", ["version 2 or 3", "found 4"], .unsupported) { $0.version = 4 },
        Attack("order of bytes", ["other order of bytes"], .unsupported) { $0.version = UInt32(3).byteSwapped },
        Attack("count of tensors", ["9223372036854775807 tensors"]) { $0.tensorCount = UInt64(Int64.max) },
        Attack("count of keys", ["18446744073709551615 keys"]) { $0.keyCount = .max },
        Attack("type of a value", ["\"k\"", "type 13", "0 to 12"]) { $0.keys = [("k", .raw(13, [0]))] },
        Attack("bool", ["\"k\"", "2", "0 or 1"]) { $0.keys = [("k", .raw(7, [2]))] },
        Attack("length of a text", ["bytes of", "\"k\""]) {
            $0.keys = [("k", .raw(8, GGUFBuilder.little(UInt64.max)))]
        },
        Attack("count of elements", ["elements of", "\"k\""]) {
            $0.keys = [("k", .raw(9, GGUFBuilder.little(UInt32(10)) + GGUFBuilder.little(UInt64(1) << 61)))]
        },
        Attack("array of arrays", ["array of arrays"]) {
            $0.keys = [("k", .raw(9, GGUFBuilder.little(UInt32(9)) + GGUFBuilder.little(UInt64(0))))]
        },
        Attack("key twice", ["\"k\"", "twice"]) { $0.keys = [("k", .bool(true)), ("k", .bool(true))] },
        Attack("key that is no text", ["not UTF-8"]) {
            $0.keys = []
            $0.keyCount = 1
            $0.tensors = []
            $0.tensorCount = 0
            $0.data = GGUFBuilder.little(UInt64(2)) + [0xFF, 0xFE] + GGUFBuilder.little(UInt32(0)) + [0]
            $0.alignment = 8
        },
        Attack("alignment", ["general.alignment", "power of two", "33"]) {
            $0.keys = [("general.alignment", .unsigned32(33))]
        },
        Attack("sizes", ["\"w\"", "5 sizes", "at most 4"]) { $0.tensors[0].sizes = [1, 1, 1, 1, 1] },
        Attack("a size", ["\"w\"", "a size is 18446744073709551615"]) { $0.tensors[0].sizes = [.max] },
        Attack("product of sizes", ["\"w\"", "beyond 2^63"]) { $0.tensors[0].sizes = [1 << 32, 1 << 32] },
        Attack("blocks", ["\"w\"", "Q8_0 [33]", "blocks of 32"]) {
            $0.tensors[0].sizes = [33]
            $0.tensors[0].type = 8
        },
        Attack("type", ["\"w\"", "number 99"], .unsupported) { $0.tensors[0].type = 99 },
        Attack("offset", ["\"w\"", "offset 7", "alignment, 32"]) { $0.tensors[0].offset = 7 },
        Attack("offset beyond", ["\"w\"", "from offset 64 on", "64 of data"]) { $0.tensors[0].offset = 64 },
        Attack("offset far beyond", ["\"w\"", "from offset 18446744073709551584"]) {
            $0.tensors[0].offset = .max - 31
        },
        Attack("tensor twice", ["\"w\"", "twice"]) { $0.tensors.append($0.tensors[0]) },
        Attack("overlap", ["overlap", "\"w\""]) { $0.tensors.append(("v", [8], 0, 0)) },
    ]

    @Test("What breaks a rule is refused by name", arguments: attacks)
    func attack(_ attack: Attack) throws {
        var builder = GGUFBuilder()
        builder.tensors = [("w", [16], 0, 0)]
        builder.data = [UInt8](repeating: 0, count: 64)
        attack.change(&builder)
        let error = try failure { try header(builder.bytes) }
        #expect(error.code == attack.code)
        for word in attack.words + ["input"] { #expect(error.message.contains(word), "\(error.message)") }
    }

    private func header(_ bytes: [UInt8]) throws -> GGUFHeader {
        try bytes.withUnsafeBytes { try GGUFHeader($0, source: "input") }
    }

    private func open(_ builder: GGUFBuilder) throws -> GGUFFile {
        try GGUFFile(path: try folder.write(builder.bytes, to: "a.gguf"))
    }
}
