import GraftFormats
import GraftTensor

/// `<s> A </s>`, or `<s> A </s></s> B </s>`; every type id is 0.
struct RobertaProcessing: PostProcessor {
    private let separator: Int32
    private let classification: Int32
    private let trimming: OffsetTrimming?

    init(_ settings: JSONObject) throws(GraftError) {
        separator = try SpecialTokenPair.id("sep", in: settings)
        classification = try SpecialTokenPair.id("cls", in: settings)
        let addsPrefixSpace = try settings.bool("add_prefix_space")
        trimming = try settings.bool("trim_offsets") ? OffsetTrimming(addsPrefixSpace: addsPrefixSpace) : nil
    }

    func addedCount(isPair: Bool) -> Int { isPair ? 4 : 2 }

    func arrange(_ parts: [EncodingPart], addsSpecialTokens: Bool) -> [EncodingPart] {
        let parts = parts.map { $0.withTypeID(0) }
        guard addsSpecialTokens, let first = parts.first else { return parts }
        let separator = EncodingPart.special(id: separator, typeID: 0)
        var arranged = [.special(id: classification, typeID: 0), first, separator]
        for part in parts.dropFirst() { arranged += [separator, part, separator] }
        return arranged
    }

    func adjustOffsets(of sequence: inout SequenceWork, vocabulary: Vocabulary) {
        trimming?.apply(to: &sequence, vocabulary: vocabulary)
    }
}

extension EncodingPart {
    func withTypeID(_ typeID: Int32) -> EncodingPart {
        switch self {
        case .sequence(let index, _): .sequence(index, typeID: typeID)
        case .special(let id, _): .special(id: id, typeID: typeID)
        }
    }
}
