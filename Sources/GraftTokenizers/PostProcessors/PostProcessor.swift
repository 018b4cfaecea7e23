import GraftTensor

/// One part of an encoding: a text, or a token that the tokenizer adds.
enum EncodingPart: Equatable, Sendable {
    /// The text with an index of 0 or 1.
    case sequence(Int, typeID: Int32)
    case special(id: Int32, typeID: Int32)
}

/// The last stage of encoding: which tokens are added around the texts, and which segment each part
/// belongs to.
protocol PostProcessor: Sendable {
    /// How many tokens it adds to one text or to a pair.
    func addedCount(isPair: Bool) -> Int

    /// Rearranges the parts, at first the texts alone, with type ids 0 and 1.
    func arrange(_ parts: [EncodingPart], addsSpecialTokens: Bool) -> [EncodingPart]

    /// Changes the offsets of one text's tokens.
    func adjustOffsets(of sequence: inout SequenceWork, vocabulary: Vocabulary)
}

extension PostProcessor {
    func adjustOffsets(of sequence: inout SequenceWork, vocabulary: Vocabulary) {}
}
