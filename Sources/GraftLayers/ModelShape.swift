/// The numbers that describe a base model.
package struct ModelShape: Sendable {
    package let layerCount: Int
    package let hiddenSize: Int
    /// Width of the table of the embeddings.
    package let embeddingWidth: Int
    package let vocabularySize: Int
    package let typeCount: Int
    package let maximumLength: Int
    /// Heads of the queries.
    package let headCount: Int
    /// Width of the keys, and of the values, of one token in one layer, and the heads that share
    /// it.
    package let keyWidth: Int
    package let keyHeadCount: Int

    package init(
        layerCount: Int, hiddenSize: Int, embeddingWidth: Int? = nil, vocabularySize: Int, typeCount: Int,
        maximumLength: Int, headCount: Int, keyWidth: Int, keyHeadCount: Int
    ) {
        self.layerCount = layerCount
        self.hiddenSize = hiddenSize
        self.embeddingWidth = embeddingWidth ?? hiddenSize
        self.vocabularySize = vocabularySize
        self.typeCount = typeCount
        self.maximumLength = maximumLength
        self.headCount = headCount
        self.keyWidth = keyWidth
        self.keyHeadCount = keyHeadCount
    }

    /// Depths of sites: 0 embeddings, 1 … layerCount the layers, then what pools, then the head.
    package var poolerDepth: Int { layerCount + 1 }
    package var headDepth: Int { layerCount + 2 }
}
