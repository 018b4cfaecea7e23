import CGraftKernels
import GraftLayers
import GraftTensor

/// Numbers of each row, or of each token: y = W dropout(representation) + b, with each row's own
/// head.
///
/// A row's head is its adapter's, or the checkpoint's where it has no adapter or the adapter has
/// none. A row's representation is what the model's pooler makes of its pooled hidden states, or
/// what the head's own dense layers do; a token's is its hidden state, or what those layers make of
/// it.
package struct DenseHead: Sendable {
    package let model: Model
    /// What it has numbers of; the heads of all rows of a pass have the same.
    package let unit: ColumnKind.Unit

    package init(model: Model, unit: ColumnKind.Unit) {
        self.model = model
        self.unit = unit
    }

    package struct Kept: BitwiseCopyable {
        let pooled: Representation?
        let base: Linear.Kept?
        /// What the layers of the first segment's own head were given; the last makes the logits.
        let layers: UnsafeMutablePointer<LayerKept>?
    }

    struct LayerKept: BitwiseCopyable {
        /// After dropout.
        let input: Matrix
        let beforeActivation: Matrix
    }

    /// The dropouts of heads stand after all dropouts of the models.
    private static let firstDropoutSite = 1 << 19

    /// What stands for a row in the head of its adapter.
    package func pooling(_ adapter: AttachedAdapter?) -> Pooling { pooling(adapter?.head) }

    /// What stands for a row in a head; nil is the checkpoint's own.
    package func pooling(_ head: HeadParameters?) -> Pooling { head?.pooling ?? model.headPooling }

    /// The only token of a row that such a head reads; nil where it reads all.
    package func summary(_ pooling: Pooling) -> SummaryToken? {
        unit == .tokens ? nil : pooling.summary(last: lastToken)
    }

    /// What counts as a row's last token: the architecture knows which tokens pad.
    private var lastToken: SummaryToken { Pooling(model.summaryToken) == .last ? model.summaryToken : .last }

    private func keeps(_ pass: Pass) -> Bool { pass.keptDepth <= model.shape.headDepth }

    /// How many it has numbers of: virtual tokens have none.
    package func count(_ pass: Pass) -> Int {
        unit == .rows ? pass.rowCount : pass.batchTokenCount(before: pass.rowCount)
    }

    private func range(_ segment: Segment, _ pass: Pass) -> (first: Int, count: Int) {
        guard unit == .tokens else { return (segment.firstRow, segment.rowCount) }
        let first = pass.batchTokenCount(before: segment.firstRow)
        return (first, pass.batchTokenCount(before: segment.firstRow + segment.rowCount) - first)
    }

    private func rows(_ matrix: Matrix, _ segment: Segment, _ pass: Pass) -> Matrix {
        let (first, count) = range(segment, pass)
        return matrix.rows(from: first, count: count)
    }

    /// Fills `logits` [rows or tokens, columns], of a pass that reads the tokens that the heads of
    /// its rows do, or all; where a head has fewer labels, they end in -infinity.
    package func forward(
        _ hidden: HiddenStates, into logits: Matrix, pass: Pass
    ) throws(GraftError) -> Kept {
        let states = try unit == .rows ? summaries(hidden.matrix, pass) : withoutPrompts(hidden.matrix, pass)
        var pooled: Representation?
        if unit == .rows || model.poolsTokens,
            pass.segments.contains(where: { $0.adapter?.head?.readsPooler ?? true })
        {
            pooled = try model.pool(
                unit == .rows ? states : hidden.matrix, ofTokens: unit == .tokens, pass: pass)
        }
        let represented =
            try unit == .rows
            ? pooled?.matrix
            : pooled.map { pooled throws(GraftError) in
                try withoutPrompts(pooled.matrix, pass)
            }
        var baseKept: Linear.Kept?
        var baseLogits: Matrix?
        if let base = model.baseHead, pass.segments.contains(where: { $0.adapter?.head == nil }) {
            let all = try pass.arena(keeping: keeps(pass)).matrix(rows: count(pass), columns: base.labels.count)
            baseKept = try base.linear.forward(represented ?? states, into: all, keeps: keeps(pass), pass: pass)
            baseLogits = all
        }
        var layersKept: UnsafeMutablePointer<LayerKept>?
        for segment in pass.segments {
            let out = rows(logits, segment, pass)
            if let adapter = segment.adapter, let head = adapter.head {
                let input = head.readsPooler ? represented ?? states : states
                let kept = try apply(
                    head, adapter, rows(input, segment, pass), first: range(segment, pass).first, into: out, pass)
                layersKept = layersKept ?? kept
            } else if let baseLogits {
                copy(rows(baseLogits, segment, pass), into: out)
            }
        }
        return Kept(pooled: pooled, base: baseKept, layers: layersKept)
    }

    private func withoutPrompts(_ x: Matrix, _ pass: Pass) throws(GraftError) -> Matrix {
        try pass.withoutPrompts(x, in: pass.arena(keeping: keeps(pass)))
    }

    /// The pooled hidden states of each row: [rows, hidden].
    private func summaries(_ hidden: Matrix, _ pass: Pass) throws(GraftError) -> Matrix {
        guard !pass.readsOneToken else { return hidden }
        let all = try pass.arena(keeping: keeps(pass)).matrix(rows: pass.rowCount, columns: hidden.columns)
        for segment in pass.segments {
            pass.pool(
                hidden, pooling(segment.adapter), last: lastToken, firstRow: segment.firstRow,
                into: all.rows(from: segment.firstRow, count: segment.rowCount))
        }
        return all
    }

    /// The numbers of some by their adapter's head, and what each of its layers was given. `first`
    /// is the place of x in the pass.
    private func apply(
        _ head: HeadParameters, _ adapter: AttachedAdapter, _ x: Matrix, first: Int, into logits: Matrix,
        _ pass: Pass
    ) throws(GraftError) -> UnsafeMutablePointer<LayerKept> {
        let arena = pass.arena(keeping: keeps(pass))
        let kept = try arena.allocate(LayerKept.self, count: head.dense.count + 1)
        var input = x
        for (index, dense) in head.dense.enumerated() {
            input = try dropped(input, head, layer: index, first: first, pass)
            let sum = try arena.matrix(rows: x.rows, columns: x.columns)
            multiply(input, dense.weight, bias: dense.bias, adapter, into: sum, pass)
            (kept + index).initialize(to: LayerKept(input: input, beforeActivation: sum))
            input = try arena.matrix(rows: x.rows, columns: x.columns)
            gk_activation_forward(pass.team.kernel, head.activation.kernel, Int64(sum.count), sum.base, input.base)
        }
        input = try dropped(input, head, layer: head.dense.count, first: first, pass)
        let own = logits.columns(from: 0, count: head.labelCount)
        multiply(input, head.weight, bias: head.bias, adapter, into: own, pass)
        for row in 0..<own.rows {
            (own.base + row * own.stride + head.labelCount).update(
                repeating: -Float.infinity, count: logits.columns - head.labelCount)
        }
        (kept + head.dense.count).initialize(to: LayerKept(input: input, beforeActivation: own))
        return kept
    }

    /// y = x Wᵀ + b.
    private func multiply(
        _ x: Matrix, _ weight: Parameter, bias: Parameter?, _ adapter: AttachedAdapter, into y: Matrix, _ pass: Pass
    ) {
        for row in 0..<y.rows {
            let start = y.base + row * y.stride
            if let bias {
                start.update(from: adapter.values + bias.offset, count: y.columns)
            } else {
                start.update(repeating: 0, count: y.columns)
            }
        }
        pass.team.multiply(
            x, Matrix(adapter.values + weight.offset, rows: y.columns, columns: x.columns), transposeB: true, adding: 1,
            into: y)
    }

    private func dropout(
        _ head: HeadParameters, layer: Int, width: Int, first: Int, _ pass: Pass
    ) -> gk_dropout? {
        pass.dropout(
            site: Self.firstDropoutSite + head.dense.count - layer,
            probability: layer < head.dense.count ? head.denseDropout : head.dropout, width: width,
            unit: unit == .rows ? .rows : .tokens, firstRow: first)
    }

    private func dropped(
        _ x: Matrix, _ head: HeadParameters, layer: Int, first: Int, _ pass: Pass
    ) throws(GraftError) -> Matrix {
        guard var dropout = dropout(head, layer: layer, width: x.columns, first: first, pass) else { return x }
        let y = try pass.arena(keeping: keeps(pass)).matrix(rows: x.rows, columns: x.columns)
        gk_apply_dropout(pass.team.kernel, &dropout, Int64(x.count), x.base, y.base)
        return y
    }

    private func copy(_ source: Matrix, into logits: Matrix) {
        for row in 0..<source.rows {
            let start = logits.base + row * logits.stride
            start.update(from: source.base + row * source.stride, count: source.columns)
            (start + source.columns).update(repeating: -Float.infinity, count: logits.columns - source.columns)
        }
    }

    /// Gradients of the head and of all below it that learns. For a pass whose rows share one
    /// trained adapter.
    package func backward(
        _ dLogits: Matrix, _ kept: Kept, hidden: HiddenStates, pass: Pass
    ) throws(GraftError) {
        guard let adapter = pass.segments.first?.adapter else { return }
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let width = model.shape.hiddenSize
        let learnsInLayers = pass.keptDepth <= model.shape.lastDepth
        let learnsBelow =
            unit == .rows || kept.pooled != nil ? pass.keptDepth <= model.shape.poolerDepth : learnsInLayers
        var gradient = try pass.scratch.matrix(rows: count(pass), columns: width)
        if let head = adapter.head, let layers = kept.layers {
            try backward(head, adapter, dLogits, layers, into: learnsBelow ? gradient : nil, pass)
        } else if let base = model.baseHead, let baseKept = kept.base {
            try base.linear.backward(dLogits, baseKept, into: learnsBelow ? gradient : nil, pass: pass)
        }
        guard learnsBelow else { return }
        if unit == .tokens { gradient = try pass.withPrompts(gradient, in: pass.scratch) }
        if let pooled = kept.pooled {
            let dSummaries = try pass.scratch.matrix(rows: gradient.rows, columns: width)
            try model.poolBackward(
                gradient, pooled, ofTokens: unit == .tokens, into: learnsInLayers ? dSummaries : nil, pass: pass)
            gradient = dSummaries
        }
        guard learnsInLayers else { return }
        if unit == .rows, !pass.readsOneToken {
            let dHidden = try pass.scratch.matrix(rows: pass.tokenCount, columns: width)
            dHidden.clear()
            pass.poolBackward(gradient, pooling(adapter), last: lastToken, of: hidden.matrix, into: dHidden)
            gradient = dHidden
        }
        try model.backward(gradient, hidden, pass: pass)
    }

    /// Gradients of a head's layers, the last first, and of its input where that is wanted.
    private func backward(
        _ head: HeadParameters, _ adapter: AttachedAdapter, _ dLogits: Matrix,
        _ layers: UnsafeMutablePointer<LayerKept>,
        into dx: Matrix?, _ pass: Pass
    ) throws(GraftError) {
        var dy = dLogits
        for index in (0...head.dense.count).reversed() {
            let isLogits = index == head.dense.count
            let weight = isLogits ? head.weight : head.dense[index].weight
            let bias = isLogits ? head.bias : head.dense[index].bias
            let input = layers[index].input
            if !isLogits {
                gk_activation_backward(
                    pass.team.kernel, head.activation.kernel, Int64(dy.count), layers[index].beforeActivation.base,
                    dy.base, dy.base)
            }
            if let gradients = adapter.gradients {
                pass.team.multiply(
                    dy, input, transposeA: true, adding: 1,
                    into: Matrix(gradients + weight.offset, rows: dy.columns, columns: input.columns))
                if let bias {
                    gk_add_column_sums(
                        pass.team.kernel, Int64(dy.rows), Int64(dy.columns), dy.base, Int64(dy.stride),
                        gradients + bias.offset)
                }
            }
            guard
                let dInput = index > 0 ? try pass.scratch.matrix(rows: dy.rows, columns: input.columns) : dx
            else { return }
            pass.team.multiply(
                dy, Matrix(adapter.values + weight.offset, rows: dy.columns, columns: input.columns), into: dInput)
            if var dropout = dropout(head, layer: index, width: dInput.columns, first: 0, pass) {
                gk_apply_dropout(pass.team.kernel, &dropout, Int64(dInput.count), dInput.base, dInput.base)
            }
            dy = dInput
        }
    }
}
