import GraftTensor

/// A GGUF file, mapped: its tensors and the arrays of its metadata are read where they lie.
package final class GGUFFile: Sendable {
    package let file: MappedFile
    package let header: GGUFHeader

    package convenience init(path: String) throws(GraftError) { try self.init(try MappedFile(path: path)) }

    package init(_ file: MappedFile) throws(GraftError) {
        self.file = file
        header = try file.withBytes { bytes throws(GraftError) in
            if !GGUFHeader.begins(bytes) { try file.refuseStandIn() }
            return try GGUFHeader(bytes, source: file.path)
        }
    }

    package var path: String { file.path }

    /// Whether a path leads to such a file, by its beginning or, whatever that is, by its name.
    package static func isOne(_ path: String) -> Bool {
        guard FileKind.of(path) == .file else { return false }
        if path.lowercased().hasSuffix(".gguf") { return true }
        return (try? MappedFile(path: path))?.withBytes { GGUFHeader.begins($0) } ?? false
    }

    /// Calls `body` with each text of an array, in order, where it lies.
    package func forEachText(
        of key: String, _ body: (Int, UnsafeBufferPointer<UInt8>) throws(GraftError) -> Void
    ) throws(GraftError) {
        guard let array = try header.array(key, of: [.string], "texts") else { return }
        try file.withBytes { bytes throws(GraftError) in
            var cursor = GGUFCursor(bytes, source: path, at: array.range.lowerBound)
            for index in 0..<array.count {
                let range = try cursor.textRange("an element of \(key)")
                let text = UnsafeRawBufferPointer(rebasing: bytes[range])
                try text.withMemoryRebound(to: UInt8.self) { (text) throws(GraftError) in try body(index, text) }
            }
        }
    }

    /// The numbers of an array, which are integers or floats alike; nil without the key.
    package func numbers(of key: String) throws(GraftError) -> [Double]? {
        let types: [GGUFType] = [
            .unsigned8, .signed8, .unsigned16, .signed16, .unsigned32, .signed32, .float32, .unsigned64, .signed64,
            .float64,
        ]
        guard let array = try header.array(key, of: types, "numbers") else { return nil }
        try Memory.require(array.count * 8, to: "reading \(key) of \(path)")
        return try file.withBytes { bytes throws(GraftError) in
            var cursor = GGUFCursor(bytes, source: path, at: array.range.lowerBound)
            var numbers: [Double] = []
            numbers.reserveCapacity(array.count)
            for _ in 0..<array.count {
                switch try cursor.value(array.type, key) {
                case .integer(let value): numbers.append(Double(value))
                case .float(let value): numbers.append(value)
                default: break
                }
            }
            return numbers
        }
    }
}

extension GGUFHeader {
    /// How many elements an array has; nil without such a key, or where it is none.
    package func count(of key: String) -> Int? {
        if case .array(let array) = self[key] { array.count } else { nil }
    }

    /// An array whose elements are of one of these types; nil without the key.
    func array(_ key: String, of types: [GGUFType], _ what: String) throws(GraftError) -> GGUFArray? {
        guard let value = self[key] else { return nil }
        guard case .array(let array) = value, types.contains(array.type) else {
            throw unexpected(key, expected: "an array of \(what)")
        }
        return array
    }

    /// The error of a key that is missing or has another value.
    package func unexpected(_ key: String, expected: String) -> GraftError {
        GraftError(
            .corruptFile, "\(source): \(key): expected \(expected), found \(self[key]?.kind ?? "no such key")")
    }

    package func optionalInt(_ key: String) throws(GraftError) -> Int? {
        switch self[key] {
        case nil: return nil
        case .integer(let value): return value
        default: throw unexpected(key, expected: "a whole number")
        }
    }

    package func optionalDouble(_ key: String) throws(GraftError) -> Double? {
        switch self[key] {
        case nil: return nil
        case .integer(let value): return Double(value)
        case .float(let value): return value
        default: throw unexpected(key, expected: "a number")
        }
    }

    package func optionalBool(_ key: String) throws(GraftError) -> Bool? {
        switch self[key] {
        case nil: return nil
        case .bool(let value): return value
        default: throw unexpected(key, expected: "true or false")
        }
    }

    package func optionalString(_ key: String) throws(GraftError) -> String? {
        switch self[key] {
        case nil: return nil
        case .string(let value): return value
        default: throw unexpected(key, expected: "a string")
        }
    }

    package func string(_ key: String) throws(GraftError) -> String {
        guard let value = try optionalString(key) else { throw unexpected(key, expected: "a string") }
        return value
    }
}
