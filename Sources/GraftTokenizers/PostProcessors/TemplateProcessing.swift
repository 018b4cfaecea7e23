import GraftFormats
import GraftTensor

/// Texts and added tokens in the order of a template, one for a single text and one for a pair.
struct TemplateProcessing: PostProcessor {
    private let single: [EncodingPart]
    private let pair: [EncodingPart]

    init(single: [EncodingPart], pair: [EncodingPart]) {
        self.single = single
        self.pair = pair
    }

    init(_ settings: JSONObject) throws(GraftError) {
        let special = try settings.object("special_tokens")
        single = try Self.parts("single", of: settings, special)
        pair = try Self.parts("pair", of: settings, special)
        guard !single.contains(where: { $0.isSequence(1) }) else {
            throw settings.unexpected("single", expected: "a template without a second sequence")
        }
    }

    private static func parts(
        _ key: String, of settings: JSONObject, _ special: JSONObject
    ) throws(GraftError) -> [EncodingPart] {
        var parts: [EncodingPart] = []
        for piece in try settings.array(key) {
            if let sequence = piece["Sequence"]?.objectValue {
                let name = try sequence.string("id")
                guard name == "A" || name == "B" else { throw sequence.unexpected("id", expected: "A or B") }
                parts.append(.sequence(name == "A" ? 0 : 1, typeID: try typeID(sequence)))
            } else if let token = piece["SpecialToken"]?.objectValue {
                let name = try token.string("id")
                guard special[name] != nil else {
                    throw token.unexpected("id", expected: "one of the template's special_tokens")
                }
                for id in try special.object(name).array("ids") {
                    guard let id = id.intValue, (0...Vocabulary.maximumID).contains(id) else {
                        throw special.unexpected(name, expected: "a list \"ids\" of token ids")
                    }
                    parts.append(.special(id: Int32(id), typeID: try typeID(token)))
                }
            } else {
                throw settings.unexpected(key, expected: "a list of Sequence and SpecialToken")
            }
        }
        return parts
    }

    private static func typeID(_ piece: JSONObject) throws(GraftError) -> Int32 {
        guard let id = Int32(exactly: try piece.int("type_id")), id >= 0 else {
            throw piece.unexpected("type_id", expected: "0 or more")
        }
        return id
    }

    func addedCount(isPair: Bool) -> Int {
        (isPair ? pair : single).count { !$0.isSequence }
    }

    func arrange(_ parts: [EncodingPart], addsSpecialTokens: Bool) -> [EncodingPart] {
        let template = parts.count > 1 ? pair : single
        return addsSpecialTokens ? template : template.filter(\.isSequence)
    }
}

extension EncodingPart {
    var isSequence: Bool {
        if case .sequence = self { true } else { false }
    }

    func isSequence(_ index: Int) -> Bool {
        if case .sequence(index, _) = self { true } else { false }
    }
}
