import CGraftKernels
import GraftTensor

/// A model in a GGUF file, under the settings and names of a checkpoint.
///
/// What they are an architecture says (`GGUFDialect`); here tensors are read where they lie, and
/// those that lie otherwise than in a checkpoint are put right, one at a time.
package final class GGUFSource: TensorSource {
    /// How a tensor lies in the file.
    package enum Form: Equatable, Sendable {
        case plain
        /// [outputs, inputs], where the checkpoint has [inputs, outputs].
        case transposed
        /// Of each head's rows, those that turn together lie together: 2 i and 2 i + 1 are the
        /// checkpoint's i and i + d / 2.
        case interleaved(headCount: Int)
        /// All queries, then all keys and all values, which the checkpoint has head by head.
        case joined(headCount: Int)
        /// 1 + what the checkpoint has.
        case scale
    }

    private struct Place: Sendable {
        let entry: TensorEntry
        let stored: GGUFHeader.Entry
        let form: Form
    }

    package let config: JSON
    package let tensorNames: [String]
    private let file: GGUFFile
    package var gguf: GGUFFile? { file }
    private let places: [ExactString: Place]

    package var path: String { file.path }

    /// - Parameter tensors: what the checkpoint calls each that it has, and its name in the file.
    package init(
        _ file: GGUFFile, config: JSON, tensors: [(name: String, stored: GGUFHeader.Entry, form: Form)]
    ) throws(GraftError) {
        self.file = file
        self.config = config
        var places: [ExactString: Place] = [:]
        for (name, stored, form) in tensors {
            let entry = TensorEntry(
                name: name, elementType: stored.type.elementType,
                shape: form == .transposed ? stored.shape.reversed() : stored.shape, file: "model.safetensors")
            if let heads = form.heads, !form.fits(rowCount: stored.shape.first ?? 1) {
                throw GraftError(
                    .incompatible,
                    "\(file.path): tensor \(JSON.string(stored.name).shortText): expected rows for \(heads.count) heads "
                        + "\(heads.what), found shape \(stored.shape)")
            }
            places[ExactString(name)] = Place(entry: entry, stored: stored, form: form)
        }
        self.places = places
        tensorNames = tensors.map(\.name)
    }

    package func path(of entry: TensorEntry) -> String { path }

    package func entry(_ name: String) -> TensorEntry? { places[ExactString(name)]?.entry }

    package func read(_ entry: TensorEntry) throws(GraftError) -> StoredTensor {
        let place = try place(entry)
        let rows = try rows(entry)
        guard place.stored.type.blockElements > 1, place.form != .transposed else {
            return StoredTensor(
                name: entry.name, elementType: entry.elementType, shape: entry.shape, file: rows.file, range: rows.range
            )
        }
        return StoredTensor(
            float32: try Self.float32(rows, entry.shape), name: entry.name, shape: entry.shape, path: path)
    }

    package func rows(_ entry: TensorEntry) throws(GraftError) -> TensorRows {
        let place = try place(entry)
        let stored = place.stored
        guard let type = stored.type.kernelType else {
            throw GraftError(
                .unsupported,
                "\(path): tensor \(JSON.string(stored.name).shortText) holds \(stored.type.name); expected one of "
                    + BlockType.allCases.filter { $0.kernelType != nil }.map(\.name).joined(separator: ", "))
        }
        let rows = try TensorRows(file.file, range: stored.range, type: type, name: entry.name, path: path)
        switch place.form {
        case .plain: return rows
        case .transposed: return try transposed(rows, place)
        case .interleaved, .joined: return try reordered(rows, place)
        case .scale: return try lowered(rows, place)
        }
    }

    private func place(_ entry: TensorEntry) throws(GraftError) -> Place {
        guard let place = places[ExactString(entry.name)] else {
            throw GraftError(.notFound, "\(path): the tensor \(JSON.string(entry.name).shortText) is missing")
        }
        return place
    }

    private static func float32(_ rows: TensorRows, _ shape: [Int]) throws(GraftError) -> Memory {
        let count = shape.reduce(1, *)
        let memory = try Memory(byteCount: 4 * count)
        rows.copy(count: count, into: memory.floats())
        rows.release()
        return memory
    }

    /// Numbers in memory in place of those of the file.
    private func rows(
        of memory: Memory, _ byteCount: Int, _ type: gk_type, _ place: Place
    ) throws(GraftError) -> TensorRows {
        try TensorRows(
            MappedFile(memory, byteCount: byteCount, path: path), range: 0..<byteCount, type: type,
            name: place.entry.name, path: path)
    }

    /// Numbers less 1.
    private func lowered(_ rows: TensorRows, _ place: Place) throws(GraftError) -> TensorRows {
        guard place.stored.type == .float32 else {
            throw GraftError(
                .unsupported,
                "\(path): tensor \(JSON.string(place.stored.name).shortText) holds \(place.stored.type.name); "
                    + "this build reads a norm's scale of F32 alone")
        }
        let memory = try Self.float32(rows, place.stored.shape)
        for index in 0..<rows.bytes.count / 4 { memory.floats()[index] -= 1 }
        return try self.rows(of: memory, rows.bytes.count, rows.type, place)
    }

    /// Rows in the checkpoint's order. Whole rows move, so blocks stay what they are.
    private func reordered(_ rows: TensorRows, _ place: Place) throws(GraftError) -> TensorRows {
        let count = place.stored.shape[0]
        let rowSize = rows.bytes.count / count
        let memory = try Memory(byteCount: rows.bytes.count)
        for row in 0..<count {
            let stored = rows.start + place.form.storedRow(of: row, count: count) * rowSize
            (memory.base + row * rowSize).copyMemory(from: stored, byteCount: rowSize)
        }
        rows.release()
        return try self.rows(of: memory, rows.bytes.count, rows.type, place)
    }

    /// Columns as rows: in the stored type, or as float32 where that has blocks.
    private func transposed(_ rows: TensorRows, _ place: Place) throws(GraftError) -> TensorRows {
        let shape = place.stored.shape
        guard shape.count == 2 else { return rows }
        guard place.stored.type.blockElements == 1 else {
            let memory = try Self.float32(rows, shape)
            let plain = try self.rows(of: memory, 4 * shape[0] * shape[1], gk_type(GK_FLOAT32), place)
            return try turned(plain, shape, place)
        }
        return try turned(rows, shape, place)
    }

    private func turned(_ rows: TensorRows, _ shape: [Int], _ place: Place) throws(GraftError) -> TensorRows {
        let (height, width) = (shape[0], shape[1])
        let memory = try Memory(byteCount: rows.bytes.count)
        switch gk_element_size(rows.type) {
        case 2: Self.turn(rows.start, to: memory.base, height, width, as: UInt16.self)
        case 4: Self.turn(rows.start, to: memory.base, height, width, as: UInt32.self)
        default: Self.turn(rows.start, to: memory.base, height, width, as: UInt64.self)
        }
        rows.release()
        return try self.rows(of: memory, rows.bytes.count, rows.type, place)
    }

    private static func turn<Word: BitwiseCopyable>(
        _ from: UnsafeRawPointer, to: UnsafeMutableRawPointer, _ height: Int, _ width: Int, as type: Word.Type
    ) {
        let size = MemoryLayout<Word>.size
        for row in 0..<height {
            for column in 0..<width {
                to.storeBytes(
                    of: from.loadUnaligned(fromByteOffset: (row * width + column) * size, as: Word.self),
                    toByteOffset: (column * height + row) * size, as: Word.self)
            }
        }
    }
}
