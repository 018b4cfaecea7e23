import GraftAdapters
import GraftFormats
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

/// Adapter files that repeat weights of their base model: PEFT writes the whole table of an adapted
/// embedding or head.
@Suite struct BaseCopyTests {
    private static let folder = Goldens.path("llama-training/embeddings-and-head/start")
    private static let copies = ["lm_head", "model.embed_tokens"].map { "base_model.model.\($0).base_layer.weight" }

    private static func base() throws -> String {
        let variants = try JSON(contentsOf: Goldens.path("llama-training/variants.json")).arrayValue ?? []
        let variant = try #require(variants.first { $0["name"]?.stringValue == "embeddings-and-head" })
        return Goldens.path(try variant.string("base"))
    }

    /// The folder with one byte of its weights file changed.
    private static func changed(at offset: Int, to change: (UInt8) -> UInt8) throws -> String {
        let copy = try Goldens.temporaryFolder()
        var weights = try MappedFile.contents(of: folder + "/adapter_model.safetensors")
        weights[offset] = change(weights[offset])
        try AtomicFile.write(weights, to: copy + "/adapter_model.safetensors")
        try AtomicFile.write(
            try MappedFile.contents(of: folder + "/adapter_config.json"), to: copy + "/adapter_config.json")
        return copy
    }

    @Test(
        "A copy in float32 is the base's, however the base is held",
        arguments: [Precision.float32, Precision.bfloat16])
    func accepted(precision: Precision) throws {
        let model = try Architectures.load(path: try Self.base(), precision: precision)
        #expect(try Adapter(model: model, path: Self.folder).content.plan.parameterCount > 0)
    }

    @Test(
        "A copy that differs from the base by more than rounding is refused by name",
        arguments: [Precision.float32, Precision.bfloat16], copies)
    func refused(precision: Precision, name: String) throws {
        let model = try Architectures.load(path: try Self.base(), precision: precision)
        let file = try SafetensorsFile(path: Self.folder + "/adapter_model.safetensors")
        let bytes = try #require(file[name]).bytes
        // The sign and the upper bits of the exponent of number 5.
        let offset = try #require(bytes.baseAddress) - #require(file.file.bytes.baseAddress) + 4 * 5 + 3
        let folder = try Self.changed(at: offset) { $0 ^ 0x80 }
        let error = #expect(throws: GraftError.self) { try Adapter(model: model, path: folder) }
        #expect(error?.code == .incompatible && error?.message.contains(name) == true, "\(error?.message ?? "loaded")")
    }
}
