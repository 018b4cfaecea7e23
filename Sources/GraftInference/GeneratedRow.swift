import GraftLayers
import GraftTensor

/// A row of a batch whose text goes on, or whose texts: what is known of it between steps.
struct GeneratedRow {
    /// Under which its tokens are reported.
    let number: Int
    let composition: Composition?
    /// What its keys and values depend on beside tokens and how long the text is.
    private let adapterOwner: [UInt64]
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
    /// Borders between texts whose keys differ that the text is beyond.
    private var bordersPassed: Int

    init(
        number: Int, composition: Composition?, text: any ContinuedText, beginning: [Int32], sourced: RowBatch?,
        cacheRows: [Int], shape: ModelShape
    ) {
        (self.number, self.composition, self.text) = (number, composition, text)
        (self.beginning, self.sourced, self.cacheRows) = (beginning, sourced, cacheRows)
        adapterOwner = composition?.attached.content ?? []
        bordersPassed = shape.bordersPassed(by: beginning.count)
    }

    /// What its keys and values depend on beside tokens.
    var owner: [UInt64] { adapterOwner + Array(repeating: 0, count: bordersPassed) }

    var adapter: AttachedAdapter? { composition?.attached }
    var virtualCount: Int { adapter?.virtualCount ?? 0 }
    var hasBegun: Bool { heldCount == beginning.count }
    /// Rows of the cache that the next step goes through.
    var activeCount: Int { hasBegun ? text.activeCount : 1 }

    /// Adds the tokens that come next to a batch: what is left of the prompt up to `end`, or the
    /// latest token of each text and what is guessed to follow it, which is returned; all tokens of
    /// a text that has come to where their keys are others.
    @discardableResult
    mutating func append(
        to batch: inout RowBatch, upTo end: Int? = nil, shape: ModelShape, cache: KeyValueCache
    ) -> [[Int32]] {
        guard !hasBegun else {
            // All texts of a row are equally long.
            let length = virtualCount + text.tokens(ofRow: 0).count
            let passed = shape.bordersPassed(by: length)
            defer { bordersPassed = passed }
            return (0..<activeCount).map { row in
                let tokens = text.tokens(ofRow: row)
                cache.setTextLength(length, ofRow: cacheRows[row])
                if passed > bordersPassed { cache.shorten(cacheRows[row], to: 0) }
                // What is guessed is no part of the text yet.
                let room = shape.textBorders.first { $0 >= length }.map { $0 - length } ?? Int.max
                let guess = Array(text.guess(ofRow: row).prefix(room))
                let isNew = cache.length(ofRow: cacheRows[row]) == 0
                batch.append(tokens: (isNew ? tokens : tokens.suffix(1)) + guess, types: nil as [Int32]?)
                return guess
            }
        }
        cache.setTextLength(beginning.count, ofRow: cacheRows[0])
        if let sourced {
            batch.append(row: 0, of: sourced)
        } else {
            let tokens = beginning[max(heldCount, virtualCount)..<(end ?? beginning.count)]
            batch.append(tokens: tokens, types: nil as [Int32]?)
        }
        return [[]]
    }
}
