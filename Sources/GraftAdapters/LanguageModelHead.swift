import CGraftKernels
import GraftLayers
import GraftTensor

/// Logits over the vocabulary at chosen ones of the tokens read, a chunk of tokens at a time: all
/// of them never stand in memory together, however large the vocabulary.
///
/// They are those of next tokens, or of masked ones.
package struct LanguageModelHead: Sendable {
    private let linear: Linear
    /// What stands before the matrix; nil for next tokens.
    private let masked: MaskedHead?
    private let model: Model
    private let hiddenSize: Int

    /// Logits in one chunk: 16 MB, and enough tokens for the product to be efficient at any
    /// vocabulary's size.
    private static let logitsInChunk = 1 << 22
    private static let leastTokens = 64

    package init(model: Model) throws(GraftError) {
        guard let linear = model.languageHead else {
            throw GraftError(
                .unsupported,
                "the \(model.architecture) model at \(model.source.path) is not a language model: it has no matrix from "
                    + "hidden states to tokens")
        }
        self.linear = linear
        self.model = model
        masked = nil
        hiddenSize = model.shape.hiddenSize
    }

    /// That of masked tokens.
    package init(masked model: Model) throws(GraftError) {
        guard let head = model.maskedHead else {
            throw GraftError(
                .unsupported,
                "the \(model.architecture) model at \(model.source.path) has no head for masked words"
                    + (model.conventions.maskedHead.map { ": it lacks \($0.dense)" } ?? ""))
        }
        masked = head
        linear = try head.readyDecoder()
        self.model = model
        hiddenSize = model.shape.hiddenSize
    }

    /// Some of the chosen tokens.
    package struct Chunk {
        /// Which of the chosen.
        package let range: Range<Int>
        /// [range.count, the largest vocabulary of the pass's rows]: a row's own logits come first.
        package let logits: Matrix
        fileprivate let kept: Linear.Kept
        /// The logits once more where the model bounds them: gradients may take their place.
        fileprivate let capped: Matrix?
        fileprivate let masked: MaskedHead.Kept?
        fileprivate let rows: UnsafeBufferPointer<Int32>
    }

    /// - Parameters:
    ///   - rows: The chosen rows of the hidden states, in order.
    ///   - batchFirst: How many of the batch were chosen in earlier passes.
    package func eachChunk(
        of rows: UnsafeBufferPointer<Int32>, batchFirst: Int, _ hidden: Matrix, pass: Pass,
        _ body: (Chunk) throws(GraftError) -> Void
    ) throws(GraftError) {
        let vocabularySize = pass.segments.reduce(0) { max($0, model.outputSize($1.adapter)) }
        let most = max(Self.leastTokens, Self.logitsInChunk / max(vocabularySize, 1))
        var first = 0
        while first < rows.count {
            try pass.cancelToken?.check()
            let mark = pass.scratch.mark
            defer { pass.scratch.rewind(to: mark) }
            let count = min(most, rows.count - first)
            let chosen = UnsafeBufferPointer(rebasing: rows[first..<first + count])
            let x = try pass.scratch.matrix(rows: count, columns: hiddenSize)
            for (index, row) in chosen.enumerated() {
                (x.base + index * hiddenSize).update(from: hidden.base + Int(row) * hidden.stride, count: hiddenSize)
            }
            scale(x, pass)
            let logits = try pass.scratch.alignedMatrix(rows: count, columns: vocabularySize)
            pass.choose(chosen, batchFirst: batchFirst + first)
            let changed = try masked?.forward(x, pass: pass)
            let kept = try linear.forward(changed?.y ?? x, into: logits, keeps: false, pass: pass)
            var capped: Matrix?
            if let cap = model.logitSoftCap {
                for row in 0..<count {
                    gk_soft_cap(pass.team.kernel, Int64(vocabularySize), cap, logits.base + row * logits.stride)
                }
                if pass.keptDepth <= model.shape.headDepth {
                    let copy = try pass.scratch.alignedMatrix(rows: count, columns: vocabularySize)
                    logits.copy(to: copy)
                    capped = copy
                }
            }
            try body(
                Chunk(
                    range: first..<first + count, logits: logits, kept: kept, capped: capped, masked: changed?.kept,
                    rows: chosen))
            first += count
        }
    }

    /// Adds to the gradients of what adapts the head, and writes d(hidden) at the chunk's rows,
    /// from d(logits), which is overwritten. Within `eachChunk`'s body.
    package func backward(_ dLogits: Matrix, _ chunk: Chunk, into dHidden: Matrix?, pass: Pass) throws(GraftError) {
        if let capped = chunk.capped, let cap = model.logitSoftCap {
            for row in 0..<capped.rows {
                gk_soft_cap_backward(
                    pass.team.kernel, Int64(capped.columns), cap, capped.base + row * capped.stride,
                    dLogits.base + row * dLogits.stride)
            }
        }
        let learns = dHidden != nil || masked?.learns(pass) ?? false
        guard learns else { return try linear.backward(dLogits, chunk.kept, into: nil, pass: pass) }
        var dx = try pass.scratch.matrix(rows: dLogits.rows, columns: masked?.width ?? hiddenSize)
        try linear.backward(dLogits, chunk.kept, into: dx, pass: pass)
        if let masked, let kept = chunk.masked {
            let dy = dx
            dx = try pass.scratch.matrix(rows: dLogits.rows, columns: hiddenSize)
            try masked.backward(dy, kept, into: dHidden == nil ? nil : dx, pass: pass)
        }
        guard let dHidden else { return }
        scale(dx, pass)
        for (index, row) in chunk.rows.enumerated() {
            (dHidden.base + Int(row) * dHidden.stride).update(from: dx.base + index * hiddenSize, count: hiddenSize)
        }
    }

    private func scale(_ x: Matrix, _ pass: Pass) {
        if model.headScale != 1 { gk_scale(pass.team.kernel, Int64(x.count), model.headScale, x.base) }
    }
}
