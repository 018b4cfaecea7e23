import GraftTensor

/// A source that reads like another one but for some settings, names and tensors, which are made
/// when they are read.
package final class TensorView: TensorSource {
    /// What a tensor is made by: its float32 numbers, in memory of their size.
    package typealias Make = @Sendable () throws(GraftError) -> Memory

    private enum Origin: Sendable {
        case base(TensorEntry)
        /// Of that tensor's rows, which are so many equal parts, the one with that number.
        case part(TensorEntry, Int, of: Int)
        case made(Make)
    }

    private let base: any TensorSource
    package let config: JSON
    package let tensorNames: [String]
    private let tensors: [ExactString: (entry: TensorEntry, origin: Origin)]

    package var path: String { base.path }
    package var gguf: GGUFFile? { base.gguf }

    /// - Parameters:
    ///   - named: what a tensor of the base is called here; nil leaves it out.
    ///   - parts: what equal parts of the rows of a tensor with that name are called here, in the
    ///     order of the rows; empty where it is one. What has no equal parts stays one.
    ///   - made: tensors in place of the base's of the same name here, or beside them, with the
    ///     types that they are stored in.
    package init(
        of base: any TensorSource, config: JSON, named: (String) -> String? = { $0 },
        parts: (String) -> [String] = { _ in [] },
        made: [(name: String, type: ElementType, shape: [Int], make: Make)] = []
    ) {
        self.base = base
        self.config = config
        var places: [ExactString: Int] = [:]
        for (index, tensor) in made.enumerated() { places[ExactString(tensor.name)] = index }
        var file = ""
        var names: [String] = []
        var tensors: [ExactString: (entry: TensorEntry, origin: Origin)] = [:]
        func add(_ name: String, _ type: ElementType, _ shape: [Int], _ origin: Origin) {
            names.append(name)
            let entry = TensorEntry(name: name, elementType: type, shape: shape, file: file)
            tensors[ExactString(name)] = (entry, origin)
        }
        for own in base.tensorNames {
            guard let entry = base.entry(own) else { continue }
            file = entry.file
            guard let name = named(own) else { continue }
            let parts = parts(name)
            if let rows = entry.shape.first, rows > 0, !parts.isEmpty, rows % parts.count == 0 {
                let shape = [rows / parts.count] + entry.shape.dropFirst()
                for (number, part) in parts.enumerated() {
                    add(part, entry.elementType, shape, .part(entry, number, of: parts.count))
                }
                continue
            }
            if let index = places.removeValue(forKey: ExactString(name)) {
                add(name, made[index].type, made[index].shape, .made(made[index].make))
            } else {
                add(name, entry.elementType, entry.shape, .base(entry))
            }
        }
        // What the base lacks goes to its last file.
        for tensor in made where places[ExactString(tensor.name)] != nil {
            add(tensor.name, tensor.type, tensor.shape, .made(tensor.make))
        }
        tensorNames = names
        self.tensors = tensors
    }

    package func entry(_ name: String) -> TensorEntry? { tensors[ExactString(name)]?.entry }

    package func path(of entry: TensorEntry) -> String { base.path(of: entry) }

    package func rows(_ entry: TensorEntry) throws(GraftError) -> TensorRows {
        switch tensors[ExactString(entry.name)]?.origin {
        case .base(let stored): return try base.rows(stored)
        case .part(let stored, let number, let count):
            let whole = try base.rows(stored)
            return try TensorRows(
                whole.file, range: Self.part(number, of: count, whole.range), type: whole.type, name: entry.name,
                path: path)
        case .made, nil: return try TensorRows(try read(entry), path: path)
        }
    }

    package func read(_ entry: TensorEntry) throws(GraftError) -> StoredTensor {
        switch tensors[ExactString(entry.name)]?.origin {
        case .base(let stored): return try base.read(stored)
        case .part(let stored, let number, let count):
            let whole = try base.read(stored)
            return StoredTensor(
                name: entry.name, elementType: whole.elementType, shape: entry.shape, file: whole.file,
                range: Self.part(number, of: count, whole.range))
        case .made(let make):
            return StoredTensor(float32: try make(), name: entry.name, shape: entry.shape, path: path(of: entry))
        case nil:
            throw GraftError(.notFound, "\(path): the tensor \(JSON.string(entry.name).shortText) is missing")
        }
    }

    private static func part(_ number: Int, of count: Int, _ whole: Range<Int>) -> Range<Int> {
        let size = whole.count / count
        let start = whole.lowerBound + number * size
        return start..<start + size
    }
}
