/// The members of a JSON object in the order they were written, found by key in constant time.
///
/// Keys are compared by their bytes. An object that was read knows its place in the file, for messages.
package struct JSONObject: Sendable {
    package typealias Member = (key: String, value: JSON)

    private var members: [Member] = []
    /// Positions by key; empty while a look through the few members is quicker.
    private var positions: [ExactString: Int] = [:]
    private static let indexedFrom = 9

    /// Where the object stands in its file; nil for one made in memory.
    package internal(set) var place: JSONPlace?

    package init() {}

    /// Sets a member in its place, adds it at the end, or removes it with nil.
    package subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                rebuildPositions()
            case (nil, let value?): add(key, value)
            case (nil, nil): break
            }
        }
    }

    /// Adds a member at the end; false, and no change, if the key is there already.
    package mutating func append(_ key: String, _ value: JSON) -> Bool {
        if members.count >= Self.indexedFrom - 1 {
            let position = members.count
            if positions.isEmpty { rebuildPositions(evenIfFew: true) }
            let taken = positions.updateValue(position, forKey: ExactString(key))
            if let taken {
                positions[ExactString(key)] = taken
                return false
            }
            members.append((key, value))
            return true
        }
        if position(of: key) != nil { return false }
        members.append((key, value))
        return true
    }

    package mutating func reserveCapacity(_ count: Int) {
        members.reserveCapacity(count)
    }

    private mutating func add(_ key: String, _ value: JSON) {
        let added = append(key, value)
        assert(added, "the caller has looked for the key")
    }

    private func position(of key: String) -> Int? {
        let key = ExactString(key)
        if !positions.isEmpty { return positions[key] }
        return members.firstIndex { ExactString($0.key) == key }
    }

    private mutating func rebuildPositions(evenIfFew: Bool = false) {
        positions.removeAll(keepingCapacity: true)
        guard evenIfFew || members.count >= Self.indexedFrom else { return }
        for (position, member) in members.enumerated() { positions[ExactString(member.key)] = position }
    }
}

extension JSONObject: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { members.count }
    package subscript(position: Int) -> Member { members[position] }
    package var keys: [String] { members.map(\.key) }
}

/// Equal when both have the same members, in any order.
extension JSONObject: Equatable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }
}
