import CGraftKernels
import GraftLayers
import GraftTensor

/// ΔW = m / ‖V‖ ∘ V - W by rows, with V = W + s B A.
extension DoraDelta: WeightChange {
    func addDelta(
        to weight: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team
    ) throws(GraftError) {
        try site.withWeight(rows: weight.rows, columns: weight.columns) { changed throws(GraftError) in
            team.add(changed, scale: -scale, to: weight)
            try lora.addDelta(to: changed, scale: 1, values: values, site: site, team: team)
            let lengths = try Memory(byteCount: weight.rows * 4)
            gk_row_lengths(
                team.kernel, Int64(weight.rows), Int64(weight.columns), changed.base, lengths.floats())
            for row in 0..<weight.rows {
                let factor = magnitude.factor(row, length: lengths.floats()[row], values)
                team.add(changed.rows(from: row, count: 1), scale: scale * factor, to: weight.rows(from: row, count: 1))
            }
        }
    }
}

/// ΔE = m / ‖V‖ ∘ V - E by columns, with V = E + s Aᵀ Bᵀ.
extension DoraEmbeddingDelta: WeightChange {
    func addDelta(
        to weight: Matrix, scale: Float, values: UnsafeMutablePointer<Float>, site: Site, team: Team
    ) throws(GraftError) {
        try site.withWeight(rows: weight.rows, columns: weight.columns) { changed throws(GraftError) in
            team.add(changed, scale: -scale, to: weight)
            lora.addDelta(to: changed, scale: 1, values: values, site: site, team: team)
            let lengths = try Memory(byteCount: weight.columns * 4)
            gk_add_column_products(
                team.kernel, Int64(changed.rows), Int64(changed.columns), changed.base, Int64(changed.stride),
                changed.base, Int64(changed.stride), lengths.floats())
            gk_square_roots(Int64(weight.columns), lengths.floats())
            magnitude.divide(by: lengths.floats(), values)
            gk_scale_columns(
                team.kernel, Int64(changed.rows), Int64(changed.columns), changed.base, Int64(changed.stride),
                lengths.floats(), changed.base, Int64(changed.stride))
            team.add(changed, scale: scale, to: weight)
        }
    }
}
