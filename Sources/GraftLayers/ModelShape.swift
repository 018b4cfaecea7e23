/// The numbers that describe a base model.
package struct ModelShape: Sendable {
    /// Of the only stack, or of the decoder's.
    package let layerCount: Int
    /// Of the encoder whose states the decoder reads; 0 where there is none.
    package let encoderLayerCount: Int
    package let hiddenSize: Int
    /// Width of the table of the embeddings.
    package let embeddingWidth: Int
    package let vocabularySize: Int
    package let typeCount: Int
    package let maximumLength: Int
    /// Longer texts than each of these have other keys from their beginning.
    package let textBorders: [Int]
    /// Heads of the queries.
    package let headCount: Int
    /// Width of the keys, and of the values, of one token in one layer, and the heads that share
    /// it.
    package let keyWidth: Int
    package let keyHeadCount: Int

    package init(
        layerCount: Int, encoderLayerCount: Int = 0, hiddenSize: Int, embeddingWidth: Int? = nil,
        vocabularySize: Int, typeCount: Int, maximumLength: Int, textBorders: [Int] = [], headCount: Int,
        keyWidth: Int, keyHeadCount: Int
    ) {
        self.layerCount = layerCount
        self.encoderLayerCount = encoderLayerCount
        self.hiddenSize = hiddenSize
        self.embeddingWidth = embeddingWidth ?? hiddenSize
        self.vocabularySize = vocabularySize
        self.typeCount = typeCount
        self.maximumLength = maximumLength
        self.textBorders = textBorders
        self.headCount = headCount
        self.keyWidth = keyWidth
        self.keyHeadCount = keyHeadCount
    }

    /// How many borders a text of a length is beyond: texts with as many have their keys alike.
    package func bordersPassed(by length: Int) -> Int { textBorders.count { length > $0 } }

    /// Depths of sites: 0 embeddings, 1 … layerCount the layers, then what pools, then the head. An
    /// encoder's embeddings and layers come before those of its decoder.
    package var firstDepth: Int { encoderLayerCount > 0 ? encoderLayerCount + 1 : 0 }
    package var lastDepth: Int { firstDepth + layerCount }
    package var poolerDepth: Int { lastDepth + 1 }
    package var headDepth: Int { lastDepth + 2 }
    /// Layers that a row's own tokens go through: the encoder's, or those of the only stack.
    package var readingLayerCount: Int { encoderLayerCount > 0 ? encoderLayerCount : layerCount }
}
