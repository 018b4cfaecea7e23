import GraftLayers
import GraftModels
import GraftTensor

/// Hidden states after every layer: [layer][token * hidden].
func hiddenStates(
    _ folder: String, _ rows: RowBatch, precision: Precision = .float32, threads: Int = 2
) throws -> [[Float]] {
    let model = try Architectures.load(path: folder, precision: precision)
    let pass = try Pass(team: try Team(threadCount: threads))
    return try (0...model.shape.layerCount).map { layer in
        var out = [Float](repeating: .nan, count: rows.tokenCount * model.shape.hiddenSize)
        try out.withUnsafeMutableBufferPointer { out in
            guard let base = out.baseAddress else { return }
            try pass.begin(rows, rows: 0..<rows.rowCount) { _ in nil }
            pass.capture = (layer, base)
            _ = try model.forward(pass)
        }
        return out
    }
}
