/// The members of a JSON object in the order they were written, found by key in constant time.
///
/// Keys are compared by their bytes. An object that was read knows its place in the file, for
/// messages.
package struct JSONObject: Sendable {
    package typealias Member = (key: String, value: JSON)

    private var members: [Member] = []
    /// Nil while a look through the few members is quicker.
    private var index: KeyIndex?
    private static let indexedFrom = 9

    /// Where the object stands in its file; nil for one made in memory.
    package internal(set) var place: JSONPlace?

    package init() {}

    /// Takes members as they are; the second value is the position of the first whose key an
    /// earlier one has.
    static func make(_ members: [Member], place: JSONPlace?) -> (object: JSONObject, repetition: Int?) {
        var object = JSONObject()
        object.members = members
        object.place = place
        return (object, object.rebuildIndex())
    }

    /// Sets a member in its place, adds it at the end, or removes it with nil.
    package subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                rebuildIndex()
            case (nil, let value?): add(key, value)
            case (nil, nil): break
            }
        }
    }

    private mutating func add(_ key: String, _ value: JSON) {
        members.append((key, value))
        if index == nil || index?.isFull == true {
            rebuildIndex()
        } else {
            _ = index?.insert(key, at: members.count - 1) { members[$0].key }
        }
    }

    private func position(of key: String) -> Int? {
        if let index { return index.position(of: key) { members[$0].key } }
        let key = ExactString(key)
        return members.firstIndex { ExactString($0.key) == key }
    }

    /// Returns the position of the first member whose key an earlier one has.
    @discardableResult
    private mutating func rebuildIndex() -> Int? {
        guard members.count >= Self.indexedFrom else {
            index = nil
            return members.indices.first { position(of: members[$0].key) != $0 }
        }
        var built = KeyIndex(capacity: members.count)
        defer { index = built }
        return members.indices.first { !built.insert(members[$0].key, at: $0) { members[$0].key } }
    }
}

extension JSONObject: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { members.count }
    package subscript(position: Int) -> Member { members[position] }

    /// The others, in their order.
    package func without(_ key: String) -> JSONObject {
        var others = JSONObject()
        for (other, value) in self where other != key { others[other] = value }
        return others
    }
    package var keys: [String] { members.map(\.key) }
}

/// Equal when both have the same members, in any order.
extension JSONObject: Equatable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }
}
