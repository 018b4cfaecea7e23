import GraftAdapters
import GraftTensor

/// The tokens of a text: arrays of `count`, which somebody else keeps.
package struct TokenTable {
    let count: Int
    /// 0 for tokens of the first text, 1 for the second, -1 for tokens that the tokenizer added.
    let sequences: UnsafePointer<Int32>
    /// [count, 2]: the first, and the one past the last.
    let bytes: UnsafePointer<Int32>
    let characters: UnsafePointer<Int32>

    package init(
        count: Int, sequences: UnsafePointer<Int32>, bytes: UnsafePointer<Int32>, characters: UnsafePointer<Int32>
    ) {
        (self.count, self.sequences, self.bytes, self.characters) = (count, sequences, bytes, characters)
    }
}

/// Which word each token of a text belongs to: what joins labels of words, or entities, to tokens.
///
/// The first token of a word stands for it. Tokens that the tokenizer added, and those of a second
/// text, belong to none.
package struct TokenWords {
    private let tokens: TokenTable
    /// Of each token; -1 for none.
    private var words: [Int] = []

    /// Words as the number of each token's; -1 for none.
    package init(_ tokens: TokenTable, numbers: [Int32]) {
        self.tokens = tokens
        words = numbers.map(Int.init)
    }

    /// Words as their bytes [word, 2] in order.
    package init(_ tokens: TokenTable, words given: UnsafeBufferPointer<Int32>) throws(GraftError) {
        self.tokens = tokens
        try Self.check(given)
        var word = 0
        for token in 0..<tokens.count {
            guard tokens.sequences[token] == 0 else {
                words.append(-1)
                continue
            }
            let (start, end) = (tokens.bytes[2 * token], tokens.bytes[2 * token + 1])
            while 2 * word < given.count, given[2 * word + 1] <= start { word += 1 }
            words.append(2 * word < given.count && given[2 * word] < end ? word : -1)
        }
    }

    private static func check(_ words: UnsafeBufferPointer<Int32>) throws(GraftError) {
        for word in 0..<words.count / 2 {
            let (start, end) = (words[2 * word], words[2 * word + 1])
            guard start >= (word == 0 ? 0 : words[2 * word - 1]), end > start else {
                throw GraftError(
                    .invalidArgument,
                    "words[\(word)] is bytes \(start) to \(end); expected at least one, after those of the word before")
            }
        }
    }

    private func isFirst(_ token: Int) -> Bool { words[token] >= 0 && (token == 0 || words[token - 1] != words[token]) }

    /// A label for each token: its word's where it is the first, else -100, or with a scheme the
    /// label of what goes on.
    package func labels(
        ofWords labels: UnsafeBufferPointer<Int32>, continuing scheme: TagScheme?
    ) throws(GraftError) -> [Int32] {
        var all: [Int32] = []
        for (token, word) in words.enumerated() {
            guard word >= 0 else {
                all.append(-100)
                continue
            }
            guard word < labels.count else {
                throw GraftError(
                    .invalidArgument, "token \(token) is of word \(word); there are labels of \(labels.count) words")
            }
            let label = labels[word]
            all.append(isFirst(token) ? label : label < 0 ? -100 : scheme?.continued(label) ?? -100)
        }
        return all
    }

    /// An entity by the bytes of the text.
    package struct Stretch {
        package let type: Int
        package let start: Int
        package let end: Int

        package init(type: Int, start: Int, end: Int) {
            (self.type, self.start, self.end) = (type, start, end)
        }
    }

    /// Tags of the tokens' words by the entities that they overlap, as IOBES where the scheme has
    /// all of that, else as IOB2; other tokens as in `labels(ofWords:continuing:)`. A word that
    /// several overlap is the first's, and one that has no other word has no tag.
    package func labels(
        ofEntities entities: [Stretch], _ scheme: TagScheme, labelsAll: Bool
    ) throws(GraftError) -> [Int32] {
        guard let outside = scheme.label(.outside, type: -1) else {
            throw GraftError(.invalidArgument, "the labels have no \"O\": expected it for what is no entity")
        }
        let count = (words.max() ?? -1) + 1
        var tags = Array(repeating: outside, count: count)
        var bytes = Array(repeating: (start: Int.max, end: 0), count: count)
        for (token, word) in words.enumerated() where word >= 0 {
            bytes[word].start = min(bytes[word].start, Int(tokens.bytes[2 * token]))
            bytes[word].end = max(bytes[word].end, Int(tokens.bytes[2 * token + 1]))
        }
        // Both are in the order of the text, and a word without tokens ends at 0.
        var first = 0
        for entity in try Self.ordered(entities) {
            while first < count, bytes[first].end <= entity.start { first += 1 }
            let own = (first..<count).prefix { bytes[$0].end == 0 || bytes[$0].start < entity.end }
                .filter { bytes[$0].end > entity.start && tags[$0] == outside }
            for (place, word) in own.enumerated() {
                tags[word] = try scheme.label(at: place, of: own.count, type: entity.type)
            }
        }
        return try tags.withUnsafeBufferPointer { tags throws(GraftError) in
            try labels(ofWords: tags, continuing: labelsAll ? scheme : nil)
        }
    }

    /// In the order of the text.
    private static func ordered(_ entities: [Stretch]) throws(GraftError) -> [Stretch] {
        let order = entities.indices.sorted { (entities[$0].start, $0) < (entities[$1].start, $1) }
        for (first, second) in zip(order, order.dropFirst()) where entities[first].end > entities[second].start {
            throw GraftError(
                .invalidArgument,
                "entities[\(second)], bytes \(entities[second].start) to \(entities[second].end), overlaps "
                    + "entities[\(first)], bytes \(entities[first].start) to \(entities[first].end); expected entities "
                    + "that share no byte")
        }
        return order.map { entities[$0] }
    }

    /// An entity by its tokens, bytes and characters.
    package struct Entity {
        package let type: Int
        package let tokens: Range<Int>
        package let bytes: Range<Int>
        package let characters: Range<Int>
    }

    /// The entities that the labels of the words' first tokens spell. A label below zero is none.
    package func entities(
        _ labels: UnsafeBufferPointer<Int32>, _ scheme: TagScheme
    ) -> [Entity] {
        let first = words.indices.filter { isFirst($0) && labels[$0] >= 0 }
        var spans: [TagScheme.Span] = []
        scheme.entities(first.map { labels[$0] }, into: &spans)
        return spans.map { span in
            let start = first[span.first]
            var end = first[span.end - 1] + 1
            while end < words.count, words[end] == words[end - 1] { end += 1 }
            func range(_ offsets: UnsafePointer<Int32>) -> Range<Int> {
                Int(offsets[2 * start])..<max(Int(offsets[2 * start]), Int(offsets[2 * end - 1]))
            }
            return Entity(
                type: span.type, tokens: start..<end, bytes: range(tokens.bytes), characters: range(tokens.characters))
        }
    }
}
