public import CGraft
import GraftAdapters
import GraftInference
import GraftTensor
import GraftTokenizers

@c @implementation
public func graft_encoding_label_words(
    _ encoding: OpaquePointer?, _ words: UnsafePointer<Int32>?, _ word_labels: UnsafePointer<Int32>?,
    _ word_count: Int64, _ labels: UnsafePointer<UnsafePointer<CChar>?>?, _ label_count: Int32, _ all_pieces: Int32,
    _ out: UnsafeMutablePointer<Int32>?, _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let encoding = try HandleTable.borrow(encoding, EncodingHandle.self, "encoding")
        let count = try count(word_count, "word_count", atMost: 1 << 30)
        let table = try encoding.words(words, count: count)
        let given = try array(word_labels, count: count, "word_labels")
        let scheme = try flag(all_pieces, "all_pieces") ? try tagScheme(labels, count: label_count) : nil
        if let scheme {
            for (word, label) in given.enumerated() where label >= Int32(scheme.labelCount) {
                throw GraftError(
                    .invalidArgument, "word_labels[\(word)] is \(label); expected a label below \(scheme.labelCount)")
            }
        }
        try write(try table.labels(ofWords: given, continuing: scheme), to: out, capacity: capacity)
    }
}

@c @implementation
public func graft_encoding_label_entities(
    _ encoding: OpaquePointer?, _ words: UnsafePointer<Int32>?, _ word_count: Int64,
    _ entities: UnsafePointer<graft_entity>?, _ entity_count: Int64,
    _ labels: UnsafePointer<UnsafePointer<CChar>?>?, _ label_count: Int32, _ all_pieces: Int32,
    _ out: UnsafeMutablePointer<Int32>?, _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        let encoding = try HandleTable.borrow(encoding, EncodingHandle.self, "encoding")
        let table = try encoding.words(words, count: try count(word_count, "word_count", atMost: 1 << 30))
        let scheme = try tagScheme(labels, count: label_count)
        var stretches: [TokenWords.Stretch] = []
        let given = try array(entities, count: try count(entity_count, "entity_count", atMost: 1 << 30), "entities")
        for (number, entity) in given.enumerated() {
            try Memory.check()
            let type = try text(entity.type, "entities[\(number)].type")
            guard let index = scheme.types.firstIndex(where: { $0.utf8.elementsEqual(type.utf8) }) else {
                throw GraftError(
                    .invalidArgument,
                    "entities[\(number)] is of type \"\(type)\"; the labels have \(scheme.types.joined(separator: ", "))"
                )
            }
            guard entity.first_byte >= 0, entity.end_byte > entity.first_byte, entity.end_byte < 1 << 31 else {
                throw GraftError(
                    .invalidArgument,
                    "entities[\(number)] is bytes \(entity.first_byte) to \(entity.end_byte); expected at least one")
            }
            let bytes = Int(entity.first_byte)..<Int(entity.end_byte)
            let range = withoutBlanks(bytes, in: encoding.text)?.range ?? bytes
            stretches.append(TokenWords.Stretch(type: index, start: range.lowerBound, end: range.upperBound))
        }
        try write(
            try table.labels(ofEntities: stretches, scheme, labelsAll: try flag(all_pieces, "all_pieces")), to: out,
            capacity: capacity)
    }
}

@c @implementation
public func graft_encoding_entities(
    _ encoding: OpaquePointer?, _ words: UnsafePointer<Int32>?, _ word_count: Int64,
    _ token_labels: UnsafePointer<Int32>?, _ labels: UnsafePointer<UnsafePointer<CChar>?>?, _ label_count: Int32,
    _ out: UnsafeMutablePointer<graft_entity>?, _ capacity: Int64, _ out_count: UnsafeMutablePointer<Int64>?
) -> graft_status {
    call { () throws(GraftError) in
        let encoding = try HandleTable.borrow(encoding, EncodingHandle.self, "encoding")
        let table = try encoding.words(words, count: try count(word_count, "word_count", atMost: 1 << 30))
        let scheme = try tagScheme(labels, count: label_count)
        let given = try array(token_labels, count: encoding.count, "token_labels")
        for (token, label) in given.enumerated() where label >= label_count {
            throw GraftError(
                .invalidArgument, "token_labels[\(token)] is \(label); expected a label below \(label_count)")
        }
        let entities = table.entities(given, scheme).compactMap { entity in
            withoutBlanks(entity.bytes, in: encoding.text).map { (entity, $0) }
        }
        out_count?.pointee = Int64(entities.count)
        if entities.isEmpty || (out == nil && capacity == 0 && out_count != nil) { return }
        let start = try output(out, capacity: capacity, needs: entities.count, "out")
        for (index, (entity, content)) in entities.enumerated() {
            // Behind the prefix of one of the caller's labels.
            let label = labels?[Int(given[entity.tokens.lowerBound])]
            start[index] = graft_entity(
                type: label.map { $0 + 2 }, first_byte: Int64(content.range.lowerBound),
                end_byte: Int64(content.range.upperBound),
                first_character: Int64(entity.characters.lowerBound + content.before),
                end_character: Int64(entity.characters.upperBound - content.after),
                first_token: Int64(entity.tokens.lowerBound), end_token: Int64(entity.tokens.upperBound))
        }
    }
}

extension EncodingHandle {
    /// Words as the caller has them, or with NULL the tokenizer's, divided.
    fileprivate func words(_ words: UnsafePointer<Int32>?, count words_count: Int) throws(GraftError) -> TokenWords {
        let tokens = TokenTable(count: count, sequences: column(7), bytes: column(3), characters: column(5))
        if let words {
            return try TokenWords(tokens, words: UnsafeBufferPointer(start: words, count: 2 * words_count))
        }
        return TokenWords(tokens, numbers: divided)
    }

    /// The numbers of the tokenizer's words, divided, and -1 for tokens of a second text.
    private var divided: [Int32] {
        var own = Encoding()
        own.wordIDs = Array(UnsafeBufferPointer(start: column(2), count: count))
        own.sequenceIDs = (0..<count).map { column(7)[$0] == 0 ? 0 : -1 }
        own.offsets = (0..<count).map { TokenOffsets(column(3)[2 * $0], column(3)[2 * $0 + 1]) }
        return own.dividedWordIDs(in: text)
    }
}

private func tagScheme(
    _ labels: UnsafePointer<UnsafePointer<CChar>?>?, count: Int32
) throws(GraftError) -> TagScheme {
    let names = try texts(labels, count: max(0, Int(count)), "labels")
    guard let scheme = TagScheme(labels: names), !names.isEmpty else {
        throw GraftError(
            .invalidArgument,
            "labels: \(names.prefix(9).joined(separator: ", ")): expected \"O\", and B-, I-, E- or S- before a type")
    }
    return scheme
}
