import Glibc
import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@Suite("Safetensors")
struct SafetensorsTests {
    private static let goldens = [
        "types.safetensors", "names.safetensors", "scalar-and-empty.safetensors", "no-tensors.safetensors",
        "empty-metadata.safetensors",
    ]

    private func rewritten(_ file: SafetensorsFile) throws -> [UInt8] {
        // Backwards, so that the writer has to find the order itself.
        defer { withExtendedLifetime(file) {} }
        return try SafetensorsWriter.serialize(
            tensors: file.tensors.reversed().map { ($0.name, $0.elementType, $0.shape, $0.bytes) },
            metadata: file.header.metadata)
    }

    @Test("Files of the safetensors package are written again byte for byte", arguments: goldens)
    func sameBytes(name: String) throws {
        let path = Repository.goldens + name
        #expect(try rewritten(try SafetensorsFile(path: path)) == bytes(of: path))
        let folder = try TestFolder()
        let file = try SafetensorsFile(path: path)
        defer { withExtendedLifetime(file) {} }
        try SafetensorsWriter.write(
            tensors: file.tensors.map { ($0.name, $0.elementType, $0.shape, $0.bytes) }, metadata: file.header.metadata,
            to: folder.path + "/copy.safetensors")
        #expect(try bytes(of: folder.path + "/copy.safetensors") == bytes(of: path))
        #expect(try folder.names() == ["copy.safetensors"])
    }

    @Test("Every element type is read with its name, shape and bytes")
    func types() throws {
        let file = try SafetensorsFile(path: Repository.goldens + "types.safetensors")
        #expect(file.metadata == ["format": "pt"])
        #expect(file.tensors.count == 39)
        let float = try #require(file["b.float32"])
        #expect(float.elementType == .float32)
        #expect(float.shape == [2, 3])
        #expect(float.elementCount == 6)
        #expect(float.withBytes { Array($0) } == (14..<38).map { UInt8($0) })
        #expect(try #require(file["a.bfloat16"]).elementType == .bfloat16)
        #expect(try #require(file["a.bool"]).withBytes { Array($0) } == [0, 1, 0, 1, 1, 0])
        let packed = try #require(file["half.bytes"])
        #expect(packed.elementType == .float4)
        #expect(packed.elementCount == 12)
        #expect(packed.withBytes { $0.count } == 6)
        #expect(file["b.FLOAT32"] == nil)
        let six: [ElementType] = [.float6E2M3, .float6E3M2]
        #expect(Set(file.tensors.map(\.elementType)) == Set(ElementType.allCases).subtracting(six))
    }

    @Test("Names are compared by bytes: two spellings of é are two tensors")
    func names() throws {
        let file = try SafetensorsFile(path: Repository.goldens + "names.safetensors")
        #expect(file["\u{E9}"]?.name.unicodeScalars.count == 1)
        #expect(file["e\u{301}"]?.name.unicodeScalars.count == 2)
        #expect(file["\u{1}\u{1F}\u{7F}"] != nil)
        #expect(file.metadata == ["ké\u{1}": "v\n\"\u{2028}"])
    }

    @Test("Scalars and tensors without elements are read")
    func scalarAndEmpty() throws {
        let file = try SafetensorsFile(path: Repository.goldens + "scalar-and-empty.safetensors")
        #expect(file.header.metadata == nil)
        let scalar = try #require(file["scalar"])
        #expect(scalar.shape == [])
        #expect(scalar.withBytes { $0.loadUnaligned(as: Float.self) } == 1.5)
        #expect(try #require(file["empty"]).shape == [0, 3])
        #expect(try #require(file["a.empty"]).withBytes { $0.isEmpty })
        #expect(try SafetensorsFile(path: Repository.goldens + "no-tensors.safetensors").tensors.isEmpty)
    }

    @Test("Tensors may start at odd offsets")
    func unaligned() throws {
        let folder = try TestFolder()
        var header = Array(
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
                .utf8)
        if header.count % 2 == 1 { header.append(0x20) }
        let one = withUnsafeBytes(of: Float(1.25)) { Array($0) }
        let file = try SafetensorsFile(
            path: try folder.write([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header + [7] + one, to: "odd"))
        let tensor = try #require(file["b"])
        #expect(tensor.withBytes { Int(bitPattern: $0.baseAddress) } % 2 == 1)
        #expect(tensor.withBytes { $0.loadUnaligned(as: Float.self) } == 1.25)
    }

    @Test("A file cut at any byte is refused, and so is one with a byte more", arguments: goldens)
    func truncation(name: String) throws {
        let whole = try bytes(of: Repository.goldens + name)
        for length in 0..<whole.count {
            let error = try failure(of: { try header(of: Array(whole[..<length])) })
            #expect(error.code == .corruptFile)
        }
        let error = try failure(of: { try header(of: whole + [0]) })
        #expect(error.message == "t: 1 bytes at the end of the file belong to no tensor")
    }

    @Test("A tensor keeps its mapping alive, and reads the same after its pages were released")
    func release() throws {
        let path = try TestData.path("models/stories260K/hf/model.safetensors")
        let tensor = try #require(try SafetensorsFile(path: path).tensors.max { $0.bytes.count < $1.bytes.count })
        let before = tensor.withBytes { Array($0) }
        tensor.release()
        #expect(tensor.withBytes { Array($0) } == before)
    }

    @Test("Real models are written again byte for byte")
    func realModels() throws {
        for model in ["stories260K/hf", "me5-small-zh-en-pruned"] {
            let path = try TestData.path("models/\(model)/model.safetensors")
            let file = try SafetensorsFile(path: path)
            let again = try rewritten(file)
            try file.file.withBytes { (bytes) throws in
                #expect(again.count == bytes.count)
                #expect(memcmp(try #require(bytes.baseAddress), again, again.count) == 0, "\(path)")
            }
        }
    }

    @Test("What cannot be written is refused with its reason")
    func writerErrors() throws {
        let four: [UInt8] = [0, 0, 128, 63]
        try four.withUnsafeBytes { (one) throws in
            func message(_ tensors: [SafetensorsWriter.Tensor]) throws -> String {
                try failure(of: { try SafetensorsWriter.serialize(tensors: tensors) }).message
            }
            #expect(
                try message([("a", .float32, [1], one), ("a", .float16, [2], one)])
                    == "two tensors, or tensor and metadata, are called \"a\"")
            #expect(
                try message([("__metadata__", .float32, [1], one)])
                    == "two tensors, or tensor and metadata, are called \"__metadata__\"")
            #expect(try message([("a", .float32, [2], one)]) == "tensor \"a\": 4 bytes are not F32 [2]")
            #expect(try message([("a", .float32, [-1], one)]) == "tensor \"a\": 4 bytes are not F32 [-1]")
        }
    }

    private func header(of bytes: [UInt8]) throws -> SafetensorsHeader {
        try bytes.withUnsafeBytes { try SafetensorsHeader($0, source: "t") }
    }
}
