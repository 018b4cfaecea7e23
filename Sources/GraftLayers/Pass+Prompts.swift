import CGraftKernels
import GraftTensor

/// Tokens that adapters put before those of each row (Lester et al. 2021): rows of the pass that no
/// batch has. They have embeddings of their own instead of a word's, and the positions before the
/// row's first.
extension Pass {
    /// Writes virtual tokens into their rows of h [tokens, width], the embeddings of words.
    func writePrompts(into h: Matrix) {
        eachPrompt { prompt, first in
            for row in 0..<prompt.rows.rows {
                (h.base + (first + row) * h.stride).update(
                    from: prompt.rows.base + row * prompt.rows.stride, count: h.columns)
            }
        }
    }

    /// Adds d(h) of virtual tokens to their gradients, and clears it: no word learns of them.
    func takePrompts(outOf dh: Matrix) {
        eachPrompt { prompt, first in
            for row in 0..<prompt.rows.rows {
                let own = dh.base + (first + row) * dh.stride
                if let gradients = prompt.gradients {
                    gk_add(team.kernel, Int64(dh.columns), 1, own, gradients.base + row * gradients.stride)
                }
                own.update(repeating: 0, count: dh.columns)
            }
        }
    }

    /// Each row with virtual tokens in this pass: these, and where its first token is.
    private func eachPrompt(_ body: (_ prompt: MadeRows, _ first: Int) -> Void) {
        for segment in segments {
            guard let prompt = prompts[segment.index] else { continue }
            for row in segment.firstRow..<segment.firstRow + segment.rowCount where batchTokens[row] > starts[row] {
                body(prompt, Int(starts[row]))
            }
        }
    }
}

/// Matrices without the virtual tokens.
extension Pass {
    private var hasPrompts: Bool { prompts.contains { $0 != nil } }

    /// The batch's tokens in the rows of the pass before row `row`.
    package func batchTokenCount(before row: Int) -> Int {
        guard hasPrompts else { return Int(starts[row]) }
        return (0..<row).reduce(0) { $0 + Int(starts[$1 + 1] - batchTokens[$1]) }
    }

    /// The rows of x [tokens, width] that are of the batch's tokens; x itself where these are all.
    package func withoutPrompts(_ x: Matrix, in arena: Arena) throws(GraftError) -> Matrix {
        guard hasPrompts else { return x }
        let y = try arena.matrix(rows: batchTokenCount(before: rowCount), columns: x.columns)
        eachRowOfBatch { own, first, count in
            (y.base + own * y.stride).update(from: x.base + first * x.stride, count: count * x.columns)
        }
        return y
    }

    /// d(x) from d(y) of that: zero for virtual tokens. dy itself where there are none.
    package func withPrompts(_ dy: Matrix, in arena: Arena) throws(GraftError) -> Matrix {
        guard hasPrompts else { return dy }
        let dx = try arena.matrix(rows: tokenCount, columns: dy.columns)
        dx.base.update(repeating: 0, count: dx.count)
        eachRowOfBatch { own, first, count in
            (dx.base + first * dx.stride).update(from: dy.base + own * dy.stride, count: count * dy.columns)
        }
        return dx
    }

    /// The batch's tokens of each row: the place of the first among such tokens and among all of
    /// the pass, and how many.
    func eachRowOfBatch(_ body: (_ own: Int, _ first: Int, _ count: Int) -> Void) {
        var own = 0
        for row in 0..<rowCount {
            let (first, count) = (Int(batchTokens[row]), Int(starts[row + 1] - batchTokens[row]))
            body(own, first, count)
            own += count
        }
    }
}
