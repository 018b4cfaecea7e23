import CGraftKernels
import GraftTensor

/// Keys and values that adapters put before those of a row's tokens (Li and Liang 2021).
///
/// For each layer a prefix has its keys and then its values, side by side: [count, layers · 2 ·
/// keyWidth]. Keys go in as they are, without a position's rotation. A row's tokens stand after
/// them. Where no row has any, attention reads keys and values where the products left them.
extension Pass {
    /// Whether attention must be given other keys than those of the tokens.
    var hasPrefixes: Bool { keyCount != tokenCount }

    /// Whether the prefix of an adapter of this pass learns.
    var learnsPrefix: Bool { segments.contains { prefix($0.adapter) != nil && $0.adapter?.gradients != nil } }

    /// What an adapter puts before the rows of this pass.
    func prefix(_ adapter: AttachedAdapter?) -> (any VirtualRows)? {
        guard let prefix = adapter?.prefix, readsSources || !prefix.layers.areOfDecoder else { return nil }
        return prefix
    }

    /// The keys and values [keys, width] of a layer that the pass's sequences point into, from
    /// those of its tokens.
    func asked(layer: Int, _ k: Matrix, _ v: Matrix) throws(GraftError) -> (k: Matrix, v: Matrix) {
        if let cache { return cache.extend(layer: layer, k, v, pass: self) }
        guard hasPrefixes else { return (k, v) }
        let keys = try scratch.matrix(rows: keyCount, columns: k.columns)
        let values = try scratch.matrix(rows: keyCount, columns: v.columns)
        eachRowOfKeys { row, first, segment in
            var next = first
            eachKey(ofRow: row, of: segment, layer: layer, k, v) { key, value in
                (keys.base + next * keys.stride).update(from: key, count: k.columns)
                (values.base + next * values.stride).update(from: value, count: v.columns)
                next += 1
            }
        }
        return (keys, values)
    }

    /// Keys that an adapter puts before the tokens of a row.
    func prefixCount(_ row: Int, _ adapter: AttachedAdapter?) -> Int { isNew(row) ? prefix(adapter)?.count ?? 0 : 0 }

    /// The keys and values of a layer that a row adds, its prefix's and its tokens', one after the
    /// other.
    func eachKey(
        ofRow row: Int, of segment: Segment, layer: Int, _ k: Matrix, _ v: Matrix,
        _ body: (_ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>) -> Void
    ) {
        if isNew(row), let prefix = prefixes[segment.index]?.rows {
            let place = place(of: layer, segment)
            for row in 0..<prefix.rows {
                let key = prefix.base + row * prefix.stride + 2 * place * k.columns
                body(key, key + k.columns)
            }
        }
        for token in Int(starts[row])..<Int(starts[row + 1]) {
            body(k.base + token * k.stride, v.base + token * v.stride)
        }
    }

    /// Where the prefix of a segment's adapter has a layer's keys and values.
    private func place(of layer: Int, _ segment: Segment) -> Int {
        segment.adapter?.prefix?.layers.place(of: layer) ?? layer
    }

    /// d(k) and d(v) of the tokens from those of all keys, which were computed apart; adds to the
    /// prefixes' gradients.
    func withoutPrefixes(layer: Int, _ dKeys: Matrix, _ dValues: Matrix, into dk: Matrix, _ dv: Matrix) {
        let width = dk.columns
        eachRowOfKeys { row, first, segment in
            var next = first
            if let prefix = prefixes[segment.index] {
                if let gradients = prefix.gradients {
                    let place = place(of: layer, segment)
                    for row in 0..<gradients.rows {
                        let sum = gradients.base + row * gradients.stride + 2 * place * width
                        gk_add(team.kernel, Int64(width), 1, dKeys.base + (first + row) * dKeys.stride, sum)
                        gk_add(team.kernel, Int64(width), 1, dValues.base + (first + row) * dValues.stride, sum + width)
                    }
                }
                next += prefix.rows.rows
            }
            for token in Int(starts[row])..<Int(starts[row + 1]) {
                (dk.base + token * dk.stride).update(from: dKeys.base + next * dKeys.stride, count: width)
                (dv.base + token * dv.stride).update(from: dValues.base + next * dValues.stride, count: width)
                next += 1
            }
        }
    }

    /// Each row of a pass without a cache: its number, its first key, its segment.
    private func eachRowOfKeys(_ body: (_ row: Int, _ first: Int, _ segment: Segment) -> Void) {
        var first = 0
        for segment in segments {
            for row in segment.firstRow..<segment.firstRow + segment.rowCount {
                body(row, first, segment)
                first += prefixCount(row, segment.adapter) + length(ofRow: row)
            }
        }
    }
}
