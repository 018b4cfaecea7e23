/// The numbers that describe a base model.
package struct ModelShape: Sendable {
    package let layerCount: Int
    package let hiddenSize: Int
    package let vocabularySize: Int
    package let typeCount: Int
    package let maximumLength: Int
    /// Width of the keys, and of the values, of one token in one layer; 0 where tokens see later ones, so that there is
    /// nothing to keep between tokens.
    package let keyWidth: Int

    package init(
        layerCount: Int, hiddenSize: Int, vocabularySize: Int, typeCount: Int, maximumLength: Int, keyWidth: Int = 0
    ) {
        self.layerCount = layerCount
        self.hiddenSize = hiddenSize
        self.vocabularySize = vocabularySize
        self.typeCount = typeCount
        self.maximumLength = maximumLength
        self.keyWidth = keyWidth
    }

    /// Depths of sites: 0 embeddings, 1 … layerCount the layers, then what pools, then the head.
    package var poolerDepth: Int { layerCount + 1 }
    package var headDepth: Int { layerCount + 2 }
}
