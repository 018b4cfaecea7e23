import GraftFormats
import GraftTensor

/// `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]` with type id 1 from B on.
struct BertProcessing: PostProcessor {
    private let separator: Int32
    private let classification: Int32

    init(separator: Int32, classification: Int32) {
        self.separator = separator
        self.classification = classification
    }

    init(_ settings: JSONObject) throws(GraftError) {
        separator = try SpecialTokenPair.id("sep", in: settings)
        classification = try SpecialTokenPair.id("cls", in: settings)
    }

    func addedCount(isPair: Bool) -> Int { isPair ? 3 : 2 }

    func arrange(_ parts: [EncodingPart], addsSpecialTokens: Bool) -> [EncodingPart] {
        guard addsSpecialTokens, let first = parts.first else { return parts }
        var arranged: [EncodingPart] = [
            .special(id: classification, typeID: 0), first, .special(id: separator, typeID: 0),
        ]
        for part in parts.dropFirst() { arranged += [part, .special(id: separator, typeID: 1)] }
        return arranged
    }
}

/// A special token as BertProcessing and RobertaProcessing spell it: `["[SEP]", 102]`.
enum SpecialTokenPair {
    static func id(_ key: String, in settings: JSONObject) throws(GraftError) -> Int32 {
        let pair = try settings.array(key)
        guard pair.count == 2, pair[0].stringValue != nil, let id = pair[1].intValue,
            (0...Vocabulary.maximumID).contains(id)
        else { throw settings.unexpected(key, expected: "a token and its id, such as [\"[SEP]\", 102]") }
        return Int32(id)
    }
}
