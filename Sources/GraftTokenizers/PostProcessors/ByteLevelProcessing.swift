import GraftFormats
import GraftTensor

/// Adds nothing; trims offsets of byte-level tokens where it says so.
struct ByteLevelProcessing: PostProcessor {
    private let trimming: OffsetTrimming?

    init(_ settings: JSONObject) throws(GraftError) {
        let addsPrefixSpace = try settings.bool("add_prefix_space")
        trimming = try settings.bool("trim_offsets") ? OffsetTrimming(addsPrefixSpace: addsPrefixSpace) : nil
    }

    func addedCount(isPair: Bool) -> Int { 0 }

    func arrange(_ parts: [EncodingPart], addsSpecialTokens: Bool) -> [EncodingPart] { parts }

    func adjustOffsets(of sequence: inout SequenceWork, vocabulary: Vocabulary) {
        trimming?.apply(to: &sequence, vocabulary: vocabulary)
    }
}
