import GraftTensor

extension JSON {
    /// Reads one JSON value that fills the bytes. Equal keys in an object are refused, by Unicode
    /// scalars.
    ///
    /// - Parameter source: what the bytes are, for messages: a path.
    package init(parsing bytes: UnsafeRawBufferPointer, source: String) throws(GraftError) {
        var builder = JSONTreeBuilder(reader: JSONReader(bytes, source: source))
        self = try builder.value()
        try builder.reader.finish()
    }

    package init(parsing text: String, source: String) throws(GraftError) {
        try Memory.require(2 * text.utf8.count, to: "reading \(source)")
        self = try JSON(parsing: Array(text.utf8), source: source)
    }

    package init(parsing bytes: [UInt8], source: String) throws(GraftError) {
        self = try bytes.withUnsafeBufferPointer { buffer throws(GraftError) in
            try JSON(parsing: UnsafeRawBufferPointer(buffer), source: source)
        }
    }

    /// Largest file that is read as a tree, which can take fifty times the file's size in memory.
    package static let maximumFileSize = 64 << 20

    package init(contentsOf path: String) throws(GraftError) {
        self = try JSON(file: try MappedFile.contents(of: path, limit: Self.maximumFileSize), path: path)
    }

    /// nil where there is no such file.
    package static func optional(contentsOf path: String) throws(GraftError) -> JSON? {
        do throws(GraftError) {
            return try JSON(contentsOf: path)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Of a file's bytes, unless these are what a failed download leaves.
    package init(file bytes: [UInt8], path: String) throws(GraftError) {
        try bytes.withUnsafeBufferPointer { buffer throws(GraftError) in
            try StandIn.refuse(UnsafeRawBufferPointer(buffer), path: path)
        }
        self = try JSON(parsing: bytes, source: path)
    }
}

/// Builds values from what a reader finds, and gives every object its place.
private struct JSONTreeBuilder {
    /// One open container: how its current member or element is called, and its place once
    /// something asked.
    private struct Level {
        enum Step {
            case key(String)
            case index(Int)
        }
        var step: Step
        var place: JSONPlace?
    }

    var reader: JSONReader
    private var levels: [Level] = []

    init(reader: JSONReader) {
        self.reader = reader
    }

    mutating func value() throws(GraftError) -> JSON {
        switch try reader.peekKind() {
        case .string: return .string(try reader.readString())
        case .number: return .number(try reader.readNumberText())
        case .object: return .object(try object())
        case .array: return .array(try array())
        case .bool: return .bool(try reader.readBool())
        case .null:
            try reader.readNull()
            return .null
        }
    }

    private mutating func object() throws(GraftError) -> JSONObject {
        let place = place(ofLevel: levels.count)
        let start = reader
        var members: [JSONObject.Member] = []
        try reader.beginObject()
        levels.append(Level(step: .index(0), place: place))
        while let text = try reader.nextKey() {
            let key = text.string
            levels[levels.count - 1].step = .key(key)
            members.append((key, try value()))
        }
        levels.removeLast()
        let (object, repetition) = JSONObject.make(members, place: place)
        if let repetition {
            throw repeatedKey(atMember: repetition, ofObjectAt: start)
        }
        return object
    }

    /// Reads an object again up to the member whose key is not its first, for the error's line and
    /// column.
    private func repeatedKey(atMember index: Int, ofObjectAt start: JSONReader) -> GraftError {
        var reader = start
        do throws(GraftError) {
            try reader.beginObject()
            for _ in 0..<index {
                _ = try reader.nextKey()
                try reader.skipValue()
            }
            let before = reader
            let key = try reader.nextKey()?.string ?? ""
            return before.error("the key \(JSON.string(key).shortText) is in this object already")
        } catch {
            return error
        }
    }

    private mutating func array() throws(GraftError) -> [JSON] {
        var elements: [JSON] = []
        try reader.beginArray()
        levels.append(Level(step: .index(0), place: nil))
        while try reader.nextElement() {
            levels[levels.count - 1].step = .index(elements.count)
            elements.append(try value())
        }
        levels.removeLast()
        return elements
    }

    /// The place of the container at a depth; made when first asked for, since most arrays hold no
    /// objects.
    private mutating func place(ofLevel depth: Int) -> JSONPlace {
        guard depth > 0 else { return JSONPlace(source: reader.source) }
        let outer: JSONPlace
        if let known = levels[depth - 1].place {
            outer = known
        } else {
            outer = place(ofLevel: depth - 1)
            levels[depth - 1].place = outer
        }
        return switch levels[depth - 1].step {
        case .key(let key): JSONPlace(key: key, in: outer)
        case .index(let index): JSONPlace(index: index, in: outer)
        }
    }
}
