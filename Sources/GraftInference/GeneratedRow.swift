import GraftLayers
import GraftTensor

/// A row of a batch whose text goes on, or whose texts: what is known of it between steps.
struct GeneratedRow {
    /// Under which its tokens are reported.
    let number: Int
    let composition: Composition?
    /// What its keys and values depend on beside tokens.
    let owner: [UInt64]
    let text: any ContinuedText
    /// The prompt, behind a number below 0 for each token that the adapter puts before it: what
    /// keys and values are remembered by.
    let beginning: [Int32]
    /// The same with its source, where an encoder reads that.
    let sourced: RowBatch?
    /// Rows of the cache.
    let cacheRows: [Int]
    /// How much of the beginning the cache holds; all of it once the text has begun.
    var heldCount = 0

    var adapter: AttachedAdapter? { composition?.attached }
    var virtualCount: Int { adapter?.virtualCount ?? 0 }
    var hasBegun: Bool { heldCount == beginning.count }
    /// Rows of the cache that the next step goes through.
    var activeCount: Int { hasBegun ? text.activeCount : 1 }

    /// Adds the tokens that come next to a batch: what is left of the prompt up to `end`, or the
    /// latest token of each text and what is guessed to follow it, which is returned.
    @discardableResult
    func append(to batch: inout RowBatch, upTo end: Int? = nil) -> [[Int32]] {
        guard !hasBegun else {
            return (0..<activeCount).map { row in
                let guess = text.guess(ofRow: row)
                batch.append(tokens: [text.tokens(ofRow: row).last ?? 0] + guess, types: nil as [Int32]?)
                return guess
            }
        }
        if let sourced {
            batch.append(row: 0, of: sourced)
        } else {
            let tokens = beginning[max(heldCount, virtualCount)..<(end ?? beginning.count)]
            batch.append(tokens: tokens, types: nil as [Int32]?)
        }
        return [[]]
    }
}
