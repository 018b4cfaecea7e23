import CGraftKernels
import GraftTensor

/// y = W_o attention(W_q x, W_k x, W_v x), whose scores have parts for distances (He et al. 2021,
/// eq. 4):
///
///     scores[i, j] = scale (q_i · k_j + q_i · kr[b] + k_j · qr[b])      b the bucket of i - j
///     kr = W_kr r, qr = W_qr r                                          r the rows of the table
///
/// x [tokens, width] → y [m, width], where m is the tokens, or in a model's last layer those that
/// are read. W_kr and W_qr may be W_k and W_q: what an adapter does there it then does to r, too,
/// and gradients add up. Keys that adapters put before a row are at no distance.
package struct DisentangledAttention: Mixer {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    /// W_kr and W_qr; nil where scores lack that part.
    private let positionKey: Linear?
    private let positionQuery: Linear?
    private let positions: RelativePositions
    private let output: Linear
    private let headCount: Int
    private let scale: Float
    /// Which layer this is of those that prefixes have keys for.
    private let layer: Int
    private let unit: Pass.Unit
    private let width: Int
    private let dropoutProbability: Float
    private let dropoutSite: Int
    private let positionDropout: Dropout

    private struct Kept: BitwiseCopyable {
        let query: Linear.Kept, key: Linear.Kept, value: Linear.Kept
        let positionKey: Linear.Kept?, positionQuery: Linear.Kept?
        let output: Linear.Kept
        let projected: Projected
    }

    /// What the products made, or its gradients.
    private struct Projected: BitwiseCopyable {
        let q: Matrix, k: Matrix, v: Matrix
        /// kr and qr [segments · buckets, width].
        let keys: Matrix?, queries: Matrix?
    }

    package init(
        query: Linear, key: Linear, value: Linear, positionKey: Linear?, positionQuery: Linear?,
        positions: RelativePositions, output: Linear, headCount: Int, layer: Int, unit: Pass.Unit, width: Int,
        dropoutProbability: Float, dropoutSite: Int, positionDropout: Dropout
    ) {
        self.query = query
        self.key = key
        self.value = value
        self.positionKey = positionKey?.repeated(1, unit: .distances)
        self.positionQuery = positionQuery?.repeated(1, unit: .distances)
        self.positions = positions
        self.output = output
        self.headCount = headCount
        let parts = 1 + (positionKey == nil ? 0 : 1) + (positionQuery == nil ? 0 : 1)
        scale = 1 / Float(width / headCount * parts).squareRoot()
        self.layer = layer
        self.unit = unit
        self.width = width
        self.dropoutProbability = dropoutProbability
        self.dropoutSite = dropoutSite
        self.positionDropout = positionDropout
    }

    package func readsInput(_ pass: Pass) -> Bool {
        query.readsInput(pass) || key.readsInput(pass) || value.readsInput(pass)
    }

    package func learns(_ pass: Pass) -> Bool { pass.learnsPrefix }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let arena = pass.arena(keeping: keeps)
        let buckets = positions.rows(ofLength: pass.longestRow)
        pass.distanceCount = buckets.count
        let projected = try room(in: arena, pass)
        let asking = try pass.select(x, unit, in: arena)
        let queryKept = try query.forward(asking, into: projected.q, keeps: keeps, pass: pass)
        let keyKept = try key.forward(x, into: projected.k, keeps: keeps, pass: pass)
        let valueKept = try value.forward(x, into: projected.v, keeps: keeps, pass: pass)
        let rows = try arena.matrix(rows: pass.count(.distances), columns: width)
        for segment in pass.segments {
            positions.copy(buckets, to: rows.rows(from: segment.index * buckets.count, count: buckets.count))
        }
        positionDropout.apply(to: rows, pass)
        let positionKept = (
            key: try forward(positionKey, rows, into: projected.keys, keeps: keeps, pass),
            query: try forward(positionQuery, rows, into: projected.queries, keeps: keeps, pass)
        )
        let (k, v) = try pass.asked(layer: layer, projected.k, projected.v)
        let context = try arena.matrix(rows: y.rows, columns: width)
        try eachHead(projected, k, buckets, pass) { (head) throws(GraftError) in
            let p = try probabilities(head, drops: true, pass)
            pass.team.multiply(p, head.ofKeys(v), into: head.ofQueries(context))
        }
        let outputKept = try output.forward(context, into: y, keeps: keeps, pass: pass)
        guard keeps else { return nil }
        return try pass.keep(
            Kept(
                query: queryKept, key: keyKept, value: valueKept, positionKey: positionKept.key,
                positionQuery: positionKept.query, output: outputKept, projected: projected))
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let dContext = try pass.scratch.matrix(rows: dy.rows, columns: width)
        try output.backward(dy, kept.output, into: dContext, pass: pass)
        let buckets = positions.rows(ofLength: pass.longestRow)
        pass.distanceCount = buckets.count
        let gradients = try room(in: pass.scratch, pass)
        gradients.keys?.clear()
        gradients.queries?.clear()
        let (k, v) = try pass.asked(layer: layer, kept.projected.k, kept.projected.v)
        let hasPrefixes = pass.hasPrefixes
        let dk = try hasPrefixes ? pass.scratch.matrix(rows: k.rows, columns: width) : gradients.k
        let dv = try hasPrefixes ? pass.scratch.matrix(rows: v.rows, columns: width) : gradients.v
        try eachHead(kept.projected, k, buckets, pass) { (head) throws(GraftError) in
            try backward(head, dContext, v, gradients, dk: dk, dv: dv, pass)
        }
        if hasPrefixes { pass.withoutPrefixes(layer: layer, dk, dv, into: gradients.k, gradients.v) }
        if let keys = gradients.keys, let own = kept.positionKey {
            try positionKey?.backward(keys, own, into: nil, pass: pass)
        }
        if let queries = gradients.queries, let own = kept.positionQuery {
            try positionQuery?.backward(queries, own, into: nil, pass: pass)
        }
        try key.backward(gradients.k, kept.key.reading(x), into: dx, accumulate: accumulate, pass: pass)
        try value.backward(gradients.v, kept.value.reading(x), into: dx, accumulate: true, pass: pass)
        let dAsking = try dx.map { dx throws(GraftError) in
            try pass.scratch.matrix(rows: gradients.q.rows, columns: dx.columns)
        }
        let asking = try query.readsInput(pass) ? pass.select(x, unit, in: pass.scratch) : x
        try query.backward(gradients.q, kept.query.reading(asking), into: dAsking, pass: pass)
        if let dx, let dAsking { pass.add(dAsking, unit, toSelectedOf: dx) }
    }

    private func room(in arena: Arena, _ pass: Pass) throws(GraftError) -> Projected {
        let count = pass.count(.distances)
        return Projected(
            q: try arena.matrix(rows: pass.count(unit), columns: width),
            k: try arena.matrix(rows: pass.tokenCount, columns: width),
            v: try arena.matrix(rows: pass.tokenCount, columns: width),
            keys: try positionKey == nil ? nil : arena.matrix(rows: count, columns: width),
            queries: try positionQuery == nil ? nil : arena.matrix(rows: count, columns: width))
    }

    private func forward(
        _ linear: Linear?, _ rows: Matrix, into y: Matrix?, keeps: Bool, _ pass: Pass
    ) throws(GraftError) -> Linear.Kept? {
        guard let linear, let y else { return nil }
        return try linear.forward(rows, into: y, keeps: keeps, pass: pass)
    }

    // MARK: One head of one row

    /// What one head of one row reads.
    private struct Head {
        let q: Matrix, k: Matrix
        let keys: Matrix?, queries: Matrix?
        let firstQuery: Int, firstKey: Int, firstBucket: Int
        let column: Int
        /// What dropout counts from.
        let firstElement: UInt64
        let distances: gk_distances

        /// Its columns.
        func of(_ matrix: Matrix) -> Matrix { matrix.columns(from: column, count: q.columns) }

        func ofQueries(_ matrix: Matrix) -> Matrix { of(matrix.rows(from: firstQuery, count: q.rows)) }

        func ofKeys(_ matrix: Matrix) -> Matrix { of(matrix.rows(from: firstKey, count: k.rows)) }

        func ofBuckets(_ matrix: Matrix) -> Matrix {
            of(matrix.rows(from: firstBucket, count: (keys ?? queries)?.rows ?? 0))
        }
    }

    /// Scratch that `body` takes is free after it.
    private func eachHead(
        _ projected: Projected, _ k: Matrix, _ buckets: Range<Int>, _ pass: Pass,
        _ body: (Head) throws(GraftError) -> Void
    ) throws(GraftError) {
        let headWidth = width / headCount
        let sequences = pass.sequences(unit)
        try positions.withBuckets { (center) throws(GraftError) in
            for segment in pass.segments {
                let firstBucket = segment.index * buckets.count
                for row in segment.firstRow..<segment.firstRow + segment.rowCount {
                    let sequence = sequences[row]
                    let (queries, keys) = (Int(sequence.query_count), Int(sequence.key_count))
                    var distances = gk_distances()
                    distances.buckets = center
                    distances.lowest = Int64(buckets.lowerBound)
                    distances.first = sequence.query_position
                    distances.apart = Int64(keys - pass.length(ofRow: row))
                    distances.scale = scale
                    for head in 0..<headCount {
                        let mark = pass.scratch.mark
                        defer { pass.scratch.rewind(to: mark) }
                        func own(_ matrix: Matrix, _ first: Int, _ count: Int) -> Matrix {
                            matrix.rows(from: first, count: count).columns(from: head * headWidth, count: headWidth)
                        }
                        let number = UInt64(sequence.identity) * UInt64(headCount) + UInt64(head)
                        try body(
                            Head(
                                q: own(projected.q, Int(sequence.query_start), queries),
                                k: own(k, Int(sequence.key_start), keys),
                                keys: projected.keys.map { own($0, firstBucket, buckets.count) },
                                queries: projected.queries.map { own($0, firstBucket, buckets.count) },
                                firstQuery: Int(sequence.query_start), firstKey: Int(sequence.key_start),
                                firstBucket: firstBucket, column: head * headWidth,
                                firstElement: number << 32 + UInt64(sequence.query_position) * UInt64(keys),
                                distances: distances))
                    }
                }
            }
        }
    }

    /// What a query takes of each value: [queries, keys].
    private func probabilities(_ head: Head, drops: Bool, _ pass: Pass) throws(GraftError) -> Matrix {
        let team = pass.team
        let p = try pass.scratch.matrix(rows: head.q.rows, columns: head.k.rows)
        team.multiply(head.q, head.k, transposeB: true, into: p)
        let c = try product(head.q, head.keys, pass)
        let d = try product(head.k, head.queries, pass)
        var distances = head.distances
        gk_distance_softmax(
            team.kernel, &distances, Int64(p.rows), Int64(p.columns), c?.base, Int64(c?.stride ?? 0), d?.base,
            Int64(d?.stride ?? 0), p.base, Int64(p.stride))
        if drops { drop(p, head, pass) }
        return p
    }

    private func product(_ x: Matrix, _ rows: Matrix?, _ pass: Pass) throws(GraftError) -> Matrix? {
        guard let rows else { return nil }
        let y = try pass.scratch.matrix(rows: x.rows, columns: rows.rows)
        pass.team.multiply(x, rows, transposeB: true, into: y)
        return y
    }

    private func drop(_ p: Matrix, _ head: Head, _ pass: Pass) {
        guard var dropout = pass.dropout(site: dropoutSite, probability: dropoutProbability, width: 1) else { return }
        dropout.first_element = head.firstElement
        gk_apply_dropout(pass.team.kernel, &dropout, Int64(p.count), p.base, p.base)
    }

    private func backward(
        _ head: Head, _ dContext: Matrix, _ v: Matrix, _ gradients: Projected, dk: Matrix, dv: Matrix, _ pass: Pass
    ) throws(GraftError) {
        let team = pass.team
        let p = try probabilities(head, drops: false, pass)
        let dropped = try pass.scratch.matrix(rows: p.rows, columns: p.columns)
        p.copy(to: dropped)
        drop(dropped, head, pass)
        let dout = head.ofQueries(dContext)
        team.multiply(dropped, dout, transposeA: true, into: head.ofKeys(dv))
        // Its room is what the gradient of the scores takes.
        let dScores = dropped
        team.multiply(dout, head.ofKeys(v), transposeB: true, into: dScores)
        drop(dScores, head, pass)
        let buckets = (head.keys ?? head.queries)?.rows ?? 0
        let dc = try head.keys == nil ? nil : pass.scratch.matrix(rows: p.rows, columns: buckets)
        let dd = try head.queries == nil ? nil : pass.scratch.matrix(rows: p.columns, columns: buckets)
        var distances = head.distances
        gk_distance_softmax_backward(
            team.kernel, &distances, Int64(p.rows), Int64(p.columns), Int64(buckets), p.base, Int64(p.stride),
            dScores.base, Int64(dScores.stride), dc?.base, Int64(buckets), dd?.base, Int64(buckets))
        team.multiply(dScores, head.k, into: head.ofQueries(gradients.q))
        team.multiply(dScores, head.q, transposeA: true, into: head.ofKeys(dk))
        if let dc, let keys = head.keys, let sum = gradients.keys {
            team.multiply(dc, keys, adding: 1, into: head.ofQueries(gradients.q))
            team.multiply(dc, head.q, transposeA: true, adding: 1, into: head.ofBuckets(sum))
        }
        if let dd, let queries = head.queries, let sum = gradients.queries {
            team.multiply(dd, queries, adding: 1, into: head.ofKeys(dk))
            team.multiply(dd, head.k, transposeA: true, adding: 1, into: head.ofBuckets(sum))
        }
    }
}
