import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Adapter folders as the real PEFT saved them, and what it computes from them.
@Suite struct PeftGoldenTests {
    static let cases = GoldenCase.all(in: ["lora", "ia3", "adalora"], "cases.json")
    static let refusedCases: [JSON] = (try? JSON(contentsOf: Goldens.path("lora-refused/cases.json")))?.arrayValue ?? []

    @Test("The goldens are there")
    func goldensAreThere() {
        #expect(Self.cases.count >= 63)
        #expect(Self.refusedCases.count >= 36)
    }

    @Test("Every PEFT adapter gives PEFT's results", arguments: cases)
    func resultsEqual(golden: GoldenCase) throws {
        let (folder, golden) = (golden.testDescription, golden.settings)
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        let model = try Architectures.load(path: Goldens.path(try golden.string("base")), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path(folder))
        let expected = try SafetensorsFile(path: Goldens.path("\(folder)/expected.safetensors"))
        let output = try golden.string("output")
        let attached = adapter.content.attached(scale: 1)
        for (attachment, prefix) in [(attached, ""), (nil, "without_adapter.")] {
            guard let tensor = expected[prefix + output] else { continue }
            let outputs = try AdapterOutputs(model, rows, attachment, wantsLogits: output == "logits")
            let result = output == "logits" ? outputs.logits : outputs.hidden
            let difference = Goldens.difference(result, try Goldens.floats(tensor))
            #expect(difference < 1e-4, "\(prefix)\(output): \(difference)")
        }
    }

    @Test("An adapter that was loaded is saved byte for byte", arguments: cases)
    func savedAsLoaded(golden: GoldenCase) throws {
        let (source, golden) = (golden.testDescription, golden.settings)
        let model = try Architectures.load(path: Goldens.path(try golden.string("base")), precision: .float32)
        let adapter = try Adapter(model: model, path: Goldens.path(source))
        let folder = try Goldens.temporaryFolder() + "/saved"
        try adapter.save(to: folder)
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(
                try MappedFile.contents(of: "\(folder)/\(file)")
                    == MappedFile.contents(of: Goldens.path("\(source)/\(file)")))
        }
    }

    @Test("Numbers of every type that loads are saved byte for byte, whether float32 holds them or not")
    func savedInEveryType() throws {
        let source = Goldens.path("lora/default")
        let model = try Architectures.load(
            path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let original = try SafetensorsFile(path: "\(source)/adapter_model.safetensors", copies: true)
        let types: [(type: ElementType, scale: Double)] = [
            (.float64, 0), (.float64, 1), (.float64, 1 / 3), (.float32, 0), (.float32, 1), (.float16, 0),
            (.bfloat16, 0),
        ]
        for (type, scale) in types {
            let folder = try Goldens.temporaryFolder()
            var places: [UnsafeMutableRawBufferPointer] = []
            defer { for place in places { place.deallocate() } }
            let weights = try SafetensorsWriter.serialize(
                tensors: original.tensors.map { tensor in
                    let numbers = try Goldens.floats(tensor)
                    let bytes: [UInt8] =
                        switch type {
                        case .float64: numbers.flatMap { withUnsafeBytes(of: Double($0) * scale) { Array($0) } }
                        case .float32: numbers.flatMap { withUnsafeBytes(of: $0 * Float(scale)) { Array($0) } }
                        default: [UInt8](repeating: 0, count: 2 * numbers.count)
                        }
                    let place = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
                    place.copyBytes(from: bytes)
                    places.append(place)
                    return (tensor.name, type, tensor.shape, UnsafeRawBufferPointer(place))
                })
            let configuration = try MappedFile.contents(of: "\(source)/adapter_config.json")
            let files: [(name: String, bytes: [UInt8])] = [
                ("adapter_config.json", configuration), ("adapter_model.safetensors", weights),
            ]
            for file in files { try AtomicFile.write(file.bytes, to: "\(folder)/\(file.name)") }
            let adapter = try Adapter(model: model, path: folder)
            let saved = try adapter.files()
            for file in files {
                #expect(
                    saved.first { $0.name == file.name }?.bytes == file.bytes, "\(type) times \(scale): \(file.name)")
            }
        }
    }

    @Test("Written anew from its numbers, a plain float32 adapter is PEFT's file byte for byte")
    func writtenAsPEFTWrites() throws {
        let names = ["default", "no-task", "patterns", "lora-bias", "modules-to-save-pooler", "bias-lora-only"]
        for folder in names.map({ "lora/\($0)" }) + [
            "ia3/default", "ia3/no-task", "ia3/mixed", "adalora/default", "adalora/pruned",
            "adalora/save-and-dropout",
        ] {
            let golden = try #require(Self.cases.first { $0.testDescription == folder })
            let model = try Architectures.load(
                path: Goldens.path(try golden.settings.string("base")), precision: .float32)
            let files = try Adapter(model: model, path: Goldens.path(folder)).content.writtenFiles()
            for file in ["adapter_config.json", "adapter_model.safetensors"] {
                #expect(files[file] == (try MappedFile.contents(of: Goldens.path("\(folder)/\(file)"))), "\(folder)")
            }
        }
    }

    @Test("What would not be honoured is refused by name", arguments: refusedCases)
    func refused(golden: JSON) throws {
        let name = try golden.string("name")
        let model = try Architectures.load(
            path: Goldens.path("bert-tiny/sequence-classification"), precision: .float32)
        let error = #expect(throws: GraftError.self) {
            try Adapter(model: model, path: Goldens.path("lora-refused/\(name)"))
        }
        let message = error?.message ?? ""
        for part in try golden.strings("message_names") { #expect(message.contains(part), "\(message)") }
    }
}
