import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct DistilBertTests {
    @Test(
        "Hidden states equal those of transformers",
        arguments: ["base", "sequence-classification", "token-classification"])
    func hiddenStatesEqual(name: String) throws {
        let folder = Goldens.path("distilbert-tiny/\(name)")
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("distilbert-tiny/inputs.json")))
        let file = try SafetensorsFile(path: folder + "/expected.safetensors")
        for (layer, states) in try hiddenStates(folder, rows).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 2e-5, "layer \(layer): \(difference)")
        }
    }

    @Test(
        "A configuration that asks for what there is not is refused by the names that it has",
        arguments: [
            ("n_heads", 3, .unsupported), ("dim", 0, .corruptFile), ("dropout", 1, .corruptFile),
            ("hidden_dim", 47, .incompatible), ("activation", "mish", .unsupported),
        ] as [(String, JSON, GraftError.Code)])
    func refused(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("distilbert-tiny/base", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
