import GraftFormats
import GraftTensor

/// Labels that are tags of named entities: "O", or one of B, I, E and S before the entity's type,
/// as in "B-PER".
///
/// B begins an entity, I goes on with it, E ends it and S is one by itself: with B and I alone that
/// is IOB2, with all IOBES.
package struct TagScheme: Sendable {
    /// Tokens of one entity.
    package struct Span: Equatable, Sendable {
        /// Among `types`.
        package let type: Int
        package let first: Int
        package let end: Int
    }

    package enum Prefix: UInt8, Sendable {
        case outside = 79  // O
        case begin = 66  // B
        case inside = 73  // I
        case end = 69  // E
        case single = 83  // S
    }

    private struct Tag: Hashable {
        let prefix: Prefix
        /// -1 outside.
        let type: Int
    }

    /// What entities are, such as "PER".
    package private(set) var types: [String] = []
    private var tags: [Tag] = []
    private var labels: [Tag: Int32] = [:]
    /// Whether entities end with E, or are S: IOBES.
    private var isClosed = false

    /// nil where a label is no tag.
    package init?(labels: [String]) {
        var known: [ExactString: Int] = [:]
        for (number, label) in labels.enumerated() {
            let tag: Tag
            if label == "O" {
                tag = Tag(prefix: .outside, type: -1)
            } else {
                let bytes = label.utf8
                guard let first = bytes.first, let prefix = Prefix(rawValue: first), prefix != .outside,
                    bytes.count > 2, bytes.dropFirst().first == UInt8(ascii: "-")
                else { return nil }
                let name = String(label.dropFirst(2))
                let type = known[ExactString(name)] ?? types.count
                if type == types.count {
                    known[ExactString(name)] = type
                    types.append(name)
                }
                tag = Tag(prefix: prefix, type: type)
            }
            tags.append(tag)
            self.labels[tag] = Int32(number)
            if tag.prefix == .end || tag.prefix == .single { isClosed = true }
        }
    }

    package var labelCount: Int { tags.count }

    /// The label of a tag; nil where there is none.
    package func label(_ prefix: Prefix, type: Int) -> Int32? { labels[Tag(prefix: prefix, type: type)] }

    /// The label of place `index` of an entity of so many words.
    package func label(at index: Int, of count: Int, type: Int) throws(GraftError) -> Int32 {
        let endsItself = label(.end, type: type) != nil && label(.single, type: type) != nil
        let prefix: Prefix =
            switch (index == 0, index == count - 1) {
            case (true, true): endsItself ? .single : .begin
            case (true, false): .begin
            case (false, true): endsItself ? .end : .inside
            case (false, false): .inside
            }
        guard let label = label(prefix, type: type) else {
            throw GraftError(
                .invalidArgument,
                "the labels have no \"\(Character(Unicode.Scalar(prefix.rawValue)))-\(types[type])\", which an entity of "
                    + "\(count) words needs")
        }
        return label
    }

    /// The same entity's label of a token that goes on with it.
    package func continued(_ label: Int32) -> Int32 {
        let tag = tags[Int(label)]
        return tag.prefix == .outside ? label : self.label(.inside, type: tag.type) ?? label
    }

    /// Whether it is of an entity's second word, or a later one.
    package func goesOn(_ label: Int32) -> Bool { [.inside, .end].contains(tags[Int(label)].prefix) }

    /// Adds the entities that tags spell, however ill, as seqeval's `get_entities` reads them: one
    /// begins at B or S, after an entity that has ended, or where the type changes.
    package func entities(_ labels: [Int32], into spans: inout [Span]) {
        var before = Tag(prefix: .outside, type: -1)
        var first = 0
        for place in 0...labels.count {
            let tag = place < labels.count ? tags[Int(labels[place])] : Tag(prefix: .outside, type: -1)
            if Self.ends(before, tag) { spans.append(Span(type: before.type, first: first, end: place)) }
            if Self.starts(tag, after: before) { first = place }
            before = tag
        }
    }

    private static func ends(_ before: Tag, _ tag: Tag) -> Bool {
        switch before.prefix {
        case .outside: false
        case .end, .single: true
        case .begin, .inside:
            tag.prefix == .begin || tag.prefix == .single || tag.prefix == .outside || tag.type != before.type
        }
    }

    private static func starts(_ tag: Tag, after before: Tag) -> Bool {
        switch tag.prefix {
        case .outside: false
        case .begin, .single: true
        case .inside, .end:
            before.prefix == .outside || before.prefix == .end || before.prefix == .single || tag.type != before.type
        }
    }

    /// Adds the entities that begin with B and go on with I of the same type, as seqeval's strict
    /// mode reads IOB2; or, as it reads IOBES, those that end with E as well, and each S.
    package func strictEntities(_ labels: [Int32], into spans: inout [Span]) {
        var place = 0
        while place < labels.count {
            let tag = tags[Int(labels[place])]
            let first = place
            place += 1
            guard tag.prefix == .begin || tag.prefix == .single else { continue }
            var last = tag.prefix
            while place < labels.count, last == .begin || last == .inside {
                let next = tags[Int(labels[place])]
                guard next.prefix == .inside || next.prefix == .end, next.type == tag.type else { break }
                last = next.prefix
                place += 1
            }
            if isClosed, last != .end, last != .single { continue }
            spans.append(Span(type: tag.type, first: first, end: place))
        }
    }
}
