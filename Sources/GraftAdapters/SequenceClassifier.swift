import CGraftKernels
import GraftLayers
import GraftTensor

/// Sequence classification: logits = W dropout(representation) + b, with each row's own head.
///
/// A row's head is its adapter's, or the checkpoint's where it has no adapter or the adapter has none.
package struct SequenceClassifier: Sendable {
    package let model: any Transformer

    package init(model: any Transformer) {
        self.model = model
    }

    package struct Kept: BitwiseCopyable {
        let representation: Representation
        let dropped: Matrix
        let base: Linear.Kept?
    }

    /// The dropout before the head stands after all dropouts of the models.
    private static let dropoutSite = 1 << 19

    /// Labels of the rows of this pass; the largest count is the width of the logits.
    package func columns(_ pass: Pass) throws(GraftError) -> Int {
        var columns = 0
        for segment in pass.segments {
            guard let count = segment.adapter?.head?.labelCount ?? model.baseHead?.labels.count else {
                throw GraftError(
                    .invalidArgument,
                    "row \(pass.batchFirstRow + segment.firstRow) has no classification head: attach an adapter that has "
                        + "one")
            }
            columns = max(columns, count)
        }
        return columns
    }

    /// Fills `logits` [rows, columns]; a row with fewer labels ends in -infinity.
    package func forward(
        _ hidden: HiddenStates, into logits: Matrix, pass: Pass
    ) throws(GraftError) -> Kept {
        let keeps = pass.keptDepth <= model.shape.headDepth
        let representation = try model.represent(hidden, pass: pass)
        let width = model.shape.hiddenSize
        var dropped = representation.matrix
        if let dropout = pass.segments.first?.adapter?.head?.dropout,
            var settings = pass.dropout(
                site: Self.dropoutSite, probability: dropout, width: width, unit: .rows)
        {
            dropped = try pass.arena(keeping: keeps).matrix(rows: pass.rowCount, columns: width)
            gk_apply_dropout(
                pass.team.kernel, &settings, Int64(dropped.count), representation.matrix.base, dropped.base)
        }
        var baseKept: Linear.Kept?
        var baseLogits: Matrix?
        if let base = model.baseHead, pass.segments.contains(where: { $0.adapter?.head == nil }) {
            let all = try pass.arena(keeping: keeps).matrix(rows: pass.rowCount, columns: base.labels.count)
            baseKept = try base.linear.forward(dropped, into: all, keeps: keeps, pass: pass)
            baseLogits = all
        }
        for segment in pass.segments {
            let out = logits.rows(from: segment.firstRow, count: segment.rowCount)
            let input = dropped.rows(from: segment.firstRow, count: segment.rowCount)
            if let adapter = segment.adapter, let head = adapter.head {
                apply(head, adapter, input, into: out, pass)
            } else if let baseLogits {
                copy(baseLogits.rows(from: segment.firstRow, count: segment.rowCount), into: out)
            }
        }
        return Kept(representation: representation, dropped: dropped, base: baseKept)
    }

    private func apply(
        _ head: HeadParameters, _ adapter: AttachedAdapter, _ x: Matrix, into logits: Matrix, _ pass: Pass
    ) {
        let own = logits.columns(from: 0, count: head.labelCount)
        for row in 0..<own.rows {
            let start = own.base + row * own.stride
            if let bias = head.bias {
                start.update(from: adapter.values + bias.offset, count: head.labelCount)
            } else {
                start.update(repeating: 0, count: head.labelCount)
            }
            (start + head.labelCount).update(repeating: -Float.infinity, count: logits.columns - head.labelCount)
        }
        pass.team.multiply(
            x, Matrix(adapter.values + head.weight.offset, rows: head.labelCount, columns: x.columns),
            transposeB: true, adding: 1, into: own)
    }

    private func copy(_ source: Matrix, into logits: Matrix) {
        for row in 0..<source.rows {
            let start = logits.base + row * logits.stride
            start.update(from: source.base + row * source.stride, count: source.columns)
            (start + source.columns).update(repeating: -Float.infinity, count: logits.columns - source.columns)
        }
    }

    /// Gradients of the head and of all below it that learns. For a pass whose rows share one trained adapter.
    package func backward(
        _ dLogits: Matrix, _ kept: Kept, hidden: HiddenStates, pass: Pass
    ) throws(GraftError) {
        guard let adapter = pass.segments.first?.adapter else { return }
        let mark = pass.scratch.mark
        defer { pass.scratch.rewind(to: mark) }
        let width = model.shape.hiddenSize
        let learnsBelow = pass.keptDepth <= model.shape.poolerDepth
        let dInput = try pass.scratch.matrix(rows: pass.rowCount, columns: width)
        if let head = adapter.head {
            if let gradients = adapter.gradients {
                pass.team.multiply(
                    dLogits, kept.dropped, transposeA: true, adding: 1,
                    into: Matrix(gradients + head.weight.offset, rows: head.labelCount, columns: width))
                if let bias = head.bias {
                    gk_add_column_sums(
                        pass.team.kernel, Int64(dLogits.rows), Int64(head.labelCount), dLogits.base,
                        Int64(dLogits.stride), gradients + bias.offset)
                }
            }
            guard learnsBelow else { return }
            pass.team.multiply(
                dLogits, Matrix(adapter.values + head.weight.offset, rows: head.labelCount, columns: width),
                into: dInput)
            if var dropout = pass.dropout(
                site: Self.dropoutSite, probability: head.dropout, width: width, unit: .rows)
            {
                gk_apply_dropout(pass.team.kernel, &dropout, Int64(dInput.count), dInput.base, dInput.base)
            }
        } else if let base = model.baseHead, let baseKept = kept.base {
            try base.linear.backward(dLogits, baseKept, into: learnsBelow ? dInput : nil, pass: pass)
        }
        guard learnsBelow else { return }
        let learnsInLayers = pass.keptDepth <= model.shape.layerCount
        let dHidden =
            learnsInLayers ? try pass.scratch.matrix(rows: pass.tokenCount, columns: width) : nil
        try model.representBackward(dInput, kept.representation, hidden: hidden, into: dHidden, pass: pass)
        if let dHidden { try model.backward(dHidden, hidden, pass: pass) }
    }
}
