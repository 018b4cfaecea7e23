import GraftFormats
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftAdapters

/// Adapters from files in memory are those from folders, of every layout.
@Suite struct MemoryFolderTests {
    /// Calls `body` with the files of a folder as they would lie in a service's memory.
    private func inMemory<Result>(_ folder: String, _ body: (InputFolder) throws -> Result) throws -> Result {
        var files: [(name: String, file: MappedFile)] = []
        for name in AdapterLayouts.fileNames + ["adapter_model.bin", "pytorch_adapter.bin"]
        where FileKind.of("\(folder)/\(name)") == .file {
            files.append((name, try MappedFile(path: "\(folder)/\(name)")))
        }
        defer { withExtendedLifetime(files) {} }
        return try body(try InputFolder(files.map { ($0.name, $0.file.bytes) }, path: "files"))
    }

    private func check(_ folder: String, base: String) throws {
        let model = try Architectures.load(path: Goldens.path(base), precision: .float32)
        let fromDisk = try Adapter(model: model, path: folder)
        let fromMemory = try inMemory(folder) { try Adapter(model: model, $0) }
        #expect(fromMemory.content.difference(from: fromDisk.content) == nil)
        let (one, other) = (try fromDisk.files(), try fromMemory.files())
        #expect(one.map(\.name) == other.map(\.name) && one.map(\.bytes) == other.map(\.bytes))
        fromDisk.markChanged()
        fromMemory.markChanged()
        #expect(try fromMemory.files().map(\.bytes) == fromDisk.files().map(\.bytes))
    }

    @Test("PEFT's", arguments: PeftGoldenTests.cases)
    func peft(golden: GoldenCase) throws {
        try check(Goldens.path(golden.testDescription), base: try golden.settings.string("base"))
    }

    @Test("AdapterHub's", arguments: BottleneckGoldenTests.cases)
    func adapterHub(golden: JSON) throws {
        try check(Goldens.path("bottleneck/\(try golden.string("name"))/start"), base: try golden.string("base"))
    }

    @Test("What a folder is refused for, files in memory are refused for", arguments: PeftGoldenTests.refusedCases)
    func refused(golden: JSON) throws {
        let folder = Goldens.path("lora-refused/\(try golden.string("name"))")
        let model = try Architectures.load(
            path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let onDisk = try #require(throws: GraftError.self) { try Adapter(model: model, path: folder) }
        let found = try #require(throws: GraftError.self) {
            try inMemory(folder) { try Adapter(model: model, $0) }
        }
        #expect(found.code == onDisk.code)
        for part in try golden.strings("message_names") { #expect(found.message.contains(part)) }
    }
}
