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
