import GraftTensor

/// q = W_q x, k = W_k x, v = W_v x: what attention is given. x, k, v have a row for each token, q
/// for each that asks.
///
/// One product where every token asks. In a model's last layer only the tokens that are read ask,
/// so there the queries are a product of their own, unless one module of the checkpoint makes all
/// three.
package struct QueryKeyValue: Sendable {
    private enum Form: Sendable {
        case together(Linear)
        /// Each head's q, k and v side by side, so wide each.
        case byHeads(Linear, headWidth: Int)
        case apart(query: Linear, keyValue: Linear)
    }

    private let form: Form
    /// Of the queries.
    private let unit: Pass.Unit
    private let queryWidth: Int
    private let keyWidth: Int

    /// q [m, queryWidth], k and v [tokens, keyWidth], or their gradients; side by side in one
    /// matrix where one product makes them.
    package struct Projections: BitwiseCopyable {
        package let q: Matrix
        package let k: Matrix
        package let v: Matrix
    }

    package struct Kept: BitwiseCopyable {
        /// Of all three together, or of k and v.
        let linear: Linear.Kept
        /// Of q, where it is apart.
        let query: Linear.Kept?
    }

    /// `together` has q, k and v side by side, for each token; those of `unit` are read.
    package init(together linear: Linear, unit: Pass.Unit = .tokens, queryWidth: Int, keyWidth: Int) {
        form = .together(linear)
        self.unit = unit
        self.queryWidth = queryWidth
        self.keyWidth = keyWidth
    }

    /// `linear` has the q, k and v of the first head, then those of the second (GPT-NeoX).
    package init(byHeads linear: Linear, headWidth: Int, unit: Pass.Unit, width: Int) {
        form = .byHeads(linear, headWidth: headWidth)
        self.unit = unit
        queryWidth = width
        keyWidth = width
    }

    /// `keyValue` has the parts k and v.
    package init(query: Linear, keyValue: Linear, unit: Pass.Unit, queryWidth: Int, keyWidth: Int) {
        form = .apart(query: query, keyValue: keyValue)
        self.unit = unit
        self.queryWidth = queryWidth
        self.keyWidth = keyWidth
    }

    /// The same modules in another layer, in which the tokens of `unit` ask.
    package func repeated(_ repetition: Int, unit: Pass.Unit) -> QueryKeyValue {
        switch form {
        case .together(let linear):
            QueryKeyValue(
                together: linear.repeated(repetition, unit: .tokens), unit: unit, queryWidth: queryWidth,
                keyWidth: keyWidth)
        case .byHeads(let linear, let headWidth):
            QueryKeyValue(
                byHeads: linear.repeated(repetition, unit: .tokens), headWidth: headWidth, unit: unit,
                width: queryWidth)
        case .apart(let query, let keyValue):
            QueryKeyValue(
                query: query.repeated(repetition, unit: unit),
                keyValue: keyValue.repeated(repetition, unit: .tokens), unit: unit, queryWidth: queryWidth,
                keyWidth: keyWidth)
        }
    }

    /// Whether an adapter of this pass needs x for its gradients.
    package func readsInput(_ pass: Pass) -> Bool {
        switch form {
        case .together(let linear), .byHeads(let linear, _): linear.readsInput(pass)
        case .apart(let query, let keyValue): query.readsInput(pass) || keyValue.readsInput(pass)
        }
    }

    /// Room for projections or for their gradients.
    package func make(in arena: Arena, pass: Pass) throws(GraftError) -> Projections {
        switch form {
        case .together, .byHeads:
            let all = try arena.matrix(rows: pass.tokenCount, columns: queryWidth + 2 * keyWidth)
            let q =
                asksAll(pass)
                ? all.columns(from: 0, count: queryWidth)
                : try arena.matrix(rows: pass.count(unit), columns: queryWidth)
            return Projections(
                q: q, k: all.columns(from: queryWidth, count: keyWidth),
                v: all.columns(from: queryWidth + keyWidth, count: keyWidth))
        case .apart:
            let keyValue = try arena.matrix(rows: pass.tokenCount, columns: 2 * keyWidth)
            return Projections(
                q: try arena.matrix(rows: pass.count(unit), columns: queryWidth),
                k: keyValue.columns(from: 0, count: keyWidth), v: keyValue.columns(from: keyWidth, count: keyWidth))
        }
    }

    private func asksAll(_ pass: Pass) -> Bool { pass.count(unit) == pass.tokenCount }

    /// The columns of k and v, and before them those of q where they are together.
    private func joined(_ parts: Projections) -> Matrix {
        switch form {
        case .together, .byHeads:
            Matrix(parts.k.base - queryWidth, rows: parts.k.rows, columns: queryWidth + 2 * keyWidth)
        case .apart: Matrix(parts.k.base, rows: parts.k.rows, columns: 2 * keyWidth)
        }
    }

    package func forward(
        _ x: Matrix, into parts: Projections, keeps: Bool, pass: Pass
    ) throws(GraftError) -> Kept {
        switch form {
        case .together(let linear):
            let all = joined(parts)
            let kept = try linear.forward(x, into: all, keeps: keeps, pass: pass)
            if !asksAll(pass) { pass.select(all.columns(from: 0, count: queryWidth), unit, into: parts.q) }
            return Kept(linear: kept, query: nil)
        case .byHeads(let linear, let headWidth):
            let all = joined(parts)
            let mark = pass.scratch.mark
            let heads = try pass.scratch.matrix(rows: all.rows, columns: all.columns)
            let kept = try linear.forward(x, into: heads, keeps: keeps, pass: pass)
            eachOfHeads(headWidth, heads, all) { $0.copy(to: $1) }
            if keeps { pass.scratch.rewind(to: mark) }
            if !asksAll(pass) { pass.select(all.columns(from: 0, count: queryWidth), unit, into: parts.q) }
            return Kept(linear: kept, query: nil)
        case .apart(let query, let keyValue):
            let asking = try asking(x, keeps: keeps && query.readsInput(pass), pass)
            return Kept(
                linear: try keyValue.forward(x, into: joined(parts), keeps: keeps, pass: pass),
                query: try query.forward(asking, into: parts.q, keeps: keeps, pass: pass))
        }
    }

    /// Calls `body` with the columns of each head's q, k and v, as `heads` and as `all` has them.
    private func eachOfHeads(_ width: Int, _ heads: Matrix, _ all: Matrix, _ body: (Matrix, Matrix) -> Void) {
        let count = queryWidth / width
        for index in 0..<3 * count {
            let place = index % 3 * queryWidth + index / 3 * width
            body(heads.columns(from: index * width, count: width), all.columns(from: place, count: width))
        }
    }

    private func asking(_ x: Matrix, keeps: Bool, _ pass: Pass) throws(GraftError) -> Matrix {
        try pass.select(x, unit, in: pass.arena(keeping: keeps))
    }

    /// For a caller that computed x once more instead of keeping it.
    package func reading(_ x: Matrix, _ kept: Kept, pass: Pass) throws(GraftError) -> Kept {
        let asking = try kept.query == nil ? x : asking(x, keeps: false, pass)
        return Kept(linear: kept.linear.reading(x), query: kept.query?.reading(asking))
    }

    /// d(x) from the gradients of q, k and v; dx may be nil where nobody below learns. Adds to the
    /// adapters' gradients.
    package func backward(
        _ gradients: Projections, _ kept: Kept, into dx: Matrix?, accumulate: Bool = false, pass: Pass
    ) throws(GraftError) {
        switch form {
        case .together(let linear):
            let all = joined(gradients)
            if !asksAll(pass) {
                pass.selectBackward(gradients.q, unit, into: all.columns(from: 0, count: queryWidth))
            }
            try linear.backward(all, kept.linear, into: dx, accumulate: accumulate, pass: pass)
        case .byHeads(let linear, let headWidth):
            let all = joined(gradients)
            if !asksAll(pass) {
                pass.selectBackward(gradients.q, unit, into: all.columns(from: 0, count: queryWidth))
            }
            let heads = try pass.scratch.matrix(rows: all.rows, columns: all.columns)
            eachOfHeads(headWidth, heads, all) { $1.copy(to: $0) }
            try linear.backward(heads, kept.linear, into: dx, accumulate: accumulate, pass: pass)
        case .apart(let query, let keyValue):
            guard let queryKept = kept.query else { return }
            try keyValue.backward(joined(gradients), kept.linear, into: dx, accumulate: accumulate, pass: pass)
            let dAsking = try dx.map { dx throws(GraftError) in
                try pass.scratch.matrix(rows: gradients.q.rows, columns: dx.columns)
            }
            try query.backward(gradients.q, queryKept, into: dAsking, pass: pass)
            if let dx, let dAsking { pass.add(dAsking, unit, toSelectedOf: dx) }
        }
    }
}
