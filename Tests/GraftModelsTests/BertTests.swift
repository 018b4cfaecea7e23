import CGraftKernels
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@Suite struct BertTests {
    @Test(
        "Hidden states equal those of transformers, whatever way the checkpoint was saved",
        arguments: [
            ("base", "", Float(2e-5)), ("config-v4", "", 2e-5), ("gamma-beta", "", 2e-5), ("sharded", "", 2e-5),
            ("sequence-classification", "", 2e-5), ("masked-lm", "", 2e-5), ("float16", "float16/", 2e-5),
            ("bfloat16", "bfloat16/", 2e-5),
        ])
    func hiddenStatesEqual(folder: String, expected: String, tolerance: Float) throws {
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        let file = try SafetensorsFile(path: Goldens.path("bert-tiny/\(expected)expected.safetensors"))
        for (layer, states) in try hiddenStates(Goldens.path("bert-tiny/\(folder)"), rows).enumerated() {
            let difference = Goldens.difference(states, try Goldens.floats(file, "hidden_states.\(layer)"))
            #expect(difference < tolerance, "layer \(layer): \(difference)")
        }
    }

    @Test(
        "A row's bits do not depend on its batch or on the number of threads",
        arguments: [Precision.float32, .bfloat16])
    func bitsAreARowsOwn(precision: Precision) throws {
        let folder = Goldens.path("bert-tiny/base")
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path("bert-tiny/inputs.json")))
        let together = try hiddenStates(folder, rows, precision: precision)[2]
        for threads in [1, 3, 8] {
            #expect(try hiddenStates(folder, rows, precision: precision, threads: threads)[2] == together)
        }
        for row in 0..<rows.rowCount {
            var alone = RowBatch()
            alone.append(row: row, of: rows)
            let states = try hiddenStates(folder, alone, precision: precision)[2]
            #expect(
                states == Array(together[Int(rows.starts[row]) * 32..<Int(rows.starts[row + 1]) * 32]), "row \(row)")
        }
    }

    @Test("Loading packs the same weights every time, and use does not change them")
    func checksumIsStable() throws {
        let folder = Goldens.path("bert-tiny/base")
        let model = try Architectures.load(path: folder, precision: .float32)
        let before = model.source.checksum
        #expect(before == (try Architectures.load(path: folder, precision: .float32)).source.checksum)
        #expect(before != (try Architectures.load(path: folder, precision: .bfloat16)).source.checksum)
        #expect(
            model.source.parameterCount == 120 * 32 + 64 * 32 + 2 * 32 + 64 + 2
                * (4 * (32 * 32 + 32) + 64
                    + 64 * 32 + 64 + 64 * 32 + 32 + 64) + 32 * 32 + 32)
    }

    @Test(
        "A configuration that contradicts itself or asks for what is not done is refused by name",
        arguments: [
            ("model_type", JSON.string("mystery"), GraftError.Code.unsupported), ("model_type", 7, .corruptFile),
            ("hidden_size", 31, .unsupported), ("hidden_size", 0, .corruptFile), ("vocab_size", 121, .incompatible),
            ("hidden_act", "step", .unsupported), ("is_decoder", true, .unsupported),
            ("position_embedding_type", "relative_key", .unsupported), ("num_hidden_layers", 3, .notFound),
            ("num_hidden_layers", "two", .corruptFile), ("hidden_dropout_prob", 1.5, .corruptFile),
            ("intermediate_size", 65, .incompatible),
        ])
    func refused(key: String, value: JSON, code: GraftError.Code) throws {
        let folder = try Goldens.copyOfModel("bert-tiny/base", changing: [key: value])
        let error = #expect(throws: GraftError.self) { try Architectures.load(path: folder, precision: .float32) }
        #expect(error?.code == code, "\(error?.message ?? "")")
        #expect(error?.message.contains(folder) ?? false, "\(error?.message ?? "")")
    }
}
