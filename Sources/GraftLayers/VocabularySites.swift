/// Places of a model's vocabulary among its sites.
package struct VocabularySites: Sendable {
    /// The table of the embeddings.
    package let words: Int
    /// The matrix of the logits; nil where the model is not one of language.
    package let head: Int?
    /// Whether both have the same numbers in the checkpoint.
    package let areTied: Bool

    package init(words: Int, head: Int? = nil, areTied: Bool = false) {
        self.words = words
        self.head = head
        self.areTied = areTied
    }

    /// The matrix of the logits where it is the table of the embeddings.
    package var tiedHead: Int? { areTied ? head : nil }
}

extension Model {
    /// Tokens that a row with this adapter may have: as many as the table has rows.
    package func vocabularySize(_ adapter: AttachedAdapter?) -> Int {
        rowCount(adapter, at: vocabulary.words) ?? shape.vocabularySize
    }

    /// Tokens among which the language head chooses with this adapter.
    package func outputSize(_ adapter: AttachedAdapter?) -> Int {
        vocabulary.head.flatMap { rowCount(adapter, at: $0) } ?? shape.vocabularySize
    }

    private func rowCount(_ adapter: AttachedAdapter?, at site: Int) -> Int? {
        adapter?.at(site)?.weight.map {
            $0.count / (sites[site].kind == .embedding ? sites[site].outputs : sites[site].inputs)
        }
    }
}
