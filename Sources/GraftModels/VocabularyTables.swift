import GraftFormats
import GraftLayers
import GraftTensor

/// Where a checkpoint has the table of the embeddings and the matrix of the logits.
///
/// A checkpoint that ties them may hold either; where it holds both and they differ, each is its
/// own, as in transformers 5.
struct VocabularyTables {
    /// The matrix's module in a decoder.
    static let head = "lm_head"

    /// As the checkpoint calls it.
    let words: String
    /// The same of the matrix; nil in a bare model.
    let head: String?

    /// - Parameters:
    ///   - own: what the checkpoint calls the table of the embeddings where it has it.
    ///   - module: the same of the matrix.
    init(
        _ folder: any TensorSource, words own: String, head module: String = VocabularyTables.head, areTied: Bool
    ) throws(GraftError) {
        let (table, matrix) = (own + ".weight", module + ".weight")
        let (hasTable, hasMatrix) = (folder.entry(table) != nil, folder.entry(matrix) != nil)
        words = areTied && !hasTable && hasMatrix ? module : own
        var isOwn = hasMatrix
        if areTied, hasTable, hasMatrix { isOwn = try !folder.holdsTheSame(matrix, as: table) }
        head = isOwn ? module : areTied ? own : nil
    }

    var areOne: Bool { words == head }

    /// The embedding, out of the memory of the head where both are one.
    func shared(_ words: Embedding, with head: Linear?) -> Embedding {
        guard areOne, let head else { return words }
        return words.tied(to: head.weight)
    }

    func sites(words: Int, head: Linear?) -> VocabularySites {
        VocabularySites(words: words, head: head?.parts.first?.site, areTied: head != nil && areOne)
    }
}
