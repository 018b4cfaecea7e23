import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct MistralTests {
    @Test(
        "Hidden states equal those of transformers, behind a window, in front of one, and without",
        arguments: ["plain", "wide", "whole", "sequence-classification"])
    func hiddenStatesEqual(name: String) throws {
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("mistral-tiny/inputs.json")))
        let file = try SafetensorsFile(path: Goldens.path("mistral-tiny/\(name)/expected.safetensors"))
        for (layer, states) in try hiddenStates(Goldens.path("mistral-tiny/\(name)"), rows).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < 6e-5, "layer \(layer): \(difference)")
        }
    }
}
