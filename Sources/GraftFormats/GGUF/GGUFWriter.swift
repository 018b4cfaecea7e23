import CGraftKernels
import GraftTensor

/// Writes a GGUF file of version 3. Tensors are read, converted and written one after the other, a
/// few rows at a time.
package struct GGUFWriter {
    package struct Tensor {
        /// In the file.
        package let name: String
        package let type: BlockType
        /// As the file is to have it, from the slowest to the fastest index.
        package let shape: [Int]
        fileprivate let form: GGUFSource.Form
        fileprivate let rows: () throws(GraftError) -> TensorRows

        /// - Parameters:
        ///   - shape: as a checkpoint has it.
        ///   - form: how the tensor is to lie in the file; heads must divide its rows.
        package init(
            _ name: String, type: BlockType, shape: [Int], form: GGUFSource.Form = .plain,
            rows: @escaping () throws(GraftError) -> TensorRows
        ) {
            self.name = name
            self.type = type
            self.shape = form == .transposed ? shape.reversed() : shape
            self.form = form
            self.rows = rows
        }
    }

    /// What may be written, and llama.cpp's number for a file of this type.
    private static let fileTypes: [(type: BlockType, number: Int)] = [
        (.float32, 0), (.float16, 1), (.q8_0, 7), (.bfloat16, 32),
    ]
    private static let alignment = 32
    /// Elements that are converted together, about.
    fileprivate static let blockCount = 1 << 16

    private let metadata: GGUFMetadata
    private let tensors: [Tensor]

    package init(_ metadata: GGUFMetadata, _ tensors: [Tensor]) {
        self.metadata = metadata
        self.tensors = tensors
    }

    /// The type of that name, as "Q8_0".
    package static func type(named name: String) throws(GraftError) -> BlockType {
        guard let known = fileTypes.first(where: { $0.type.name == name }) else {
            throw GraftError(
                .invalidArgument,
                "type \(JSON.string(name).shortText): expected "
                    + fileTypes.map(\.type.name).joined(separator: ", "))
        }
        return known.type
    }

    /// `general.file_type` of a file whose weights are of a type.
    package static func fileType(_ type: BlockType) -> Int { fileTypes.first { $0.type == type }?.number ?? 0 }

    /// Writes a file that is at every instant either the old one or the new one, whole.
    package func write(to path: String) throws(GraftError) {
        try AtomicFile.write(to: path) { output throws(GraftError) in
            let head = try head()
            try output.write(head)
            try output.write([UInt8](repeating: 0, count: Self.padding(head.count)))
            for tensor in tensors {
                let byteCount = try tensor.write(to: output)
                try output.write([UInt8](repeating: 0, count: Self.padding(byteCount)))
            }
        }
    }

    private func head() throws(GraftError) -> [UInt8] {
        var head = Array("GGUF".utf8)
        head.append(little: UInt32(3))
        head.append(little: UInt64(tensors.count))
        head.append(little: UInt64(metadata.count))
        head += metadata.bytes
        var offset = 0
        for tensor in tensors {
            head.append(text: Array(tensor.name.utf8))
            head.append(little: UInt32(tensor.shape.count))
            for size in tensor.shape.reversed() { head.append(little: UInt64(size)) }
            head.append(little: tensor.type.rawValue)
            head.append(little: UInt64(offset))
            guard tensor.shape.count <= GGUFHeader.maximumRank, let size = tensor.type.byteCount(shape: tensor.shape)
            else {
                throw GraftError(
                    .unsupported,
                    "tensor \(JSON.string(tensor.name).shortText): no GGUF file holds \(tensor.type.name) "
                        + "\(tensor.shape)")
            }
            offset += size + Self.padding(size)
        }
        return head
    }

    private static func padding(_ count: Int) -> Int { (alignment - count % alignment) % alignment }
}

extension GGUFWriter.Tensor {
    /// Returns how many bytes were written.
    fileprivate func write(to output: OutputFile) throws(GraftError) -> Int {
        let rows = try rows()
        defer { rows.release() }
        guard form == .transposed, shape.count == 2 else { return try write(rows, to: output) }
        // A column is spread over the whole tensor.
        let (height, width) = (shape[0], shape[1])
        let plain = try Memory(byteCount: 4 * height * width)
        rows.copy(count: height * width, into: plain.floats())
        return try write(height: height, width: width, to: output) { row, out in
            for column in 0..<width { out[column] = plain.floats()[column * height + row] }
        }
    }

    private func write(_ rows: TensorRows, to output: OutputFile) throws(GraftError) -> Int {
        if form == .plain, type.kernelType == rows.type {
            try output.write(rows.bytes)
            return rows.bytes.count
        }
        var (height, width) = (shape.dropLast().reduce(1, *), shape.last ?? 1)
        // A bias has a number for each row.
        if form.heads != nil, shape.count == 1 { (height, width) = (width, 1) }
        let size = rows.bytes.count / max(height, 1)
        return try write(height: height, width: width, to: output) { [form, height, width] row, out in
            let from = form.row(ofStored: row, count: height)
            gk_to_float32(Int64(width), rows.start + from * size, rows.type, out)
            if form == .scale { for column in 0..<width { out[column] += 1 } }
        }
    }

    /// - Parameter read: gives the numbers of a row of the file.
    private func write(
        height: Int, width: Int, to output: OutputFile, _ read: (Int, UnsafeMutablePointer<Float>) -> Void
    ) throws(GraftError) -> Int {
        let rowSize = type.byteCount(shape: [width]) ?? 0
        let together = max(1, GGUFWriter.blockCount / max(width, 1))
        let numbers = try Memory(byteCount: 4 * together * width)
        let converted = try Memory(byteCount: together * rowSize)
        for first in stride(from: 0, to: height, by: together) {
            let rowCount = min(together, height - first)
            let count = Int64(rowCount * width)
            for row in 0..<rowCount { read(first + row, numbers.floats() + row * width) }
            func isFinite() -> Bool { gk_first_not_finite(count, numbers.floats()) < 0 }
            guard isFinite() else { throw beyond("a number that is not finite") }
            if type == .q8_0 {
                gk_to_q8_0(count, numbers.floats(), converted.base)
            } else {
                gk_from_float32(count, numbers.floats(), type.kernelType ?? gk_type(GK_FLOAT32), converted.base)
            }
            try output.write(UnsafeRawBufferPointer(start: converted.base, count: rowCount * rowSize))
            gk_to_float32(count, converted.base, type.kernelType ?? gk_type(GK_FLOAT32), numbers.floats())
            guard isFinite() else { throw beyond("a number beyond \(type.name)") }
        }
        return height * rowSize
    }

    private func beyond(_ what: String) -> GraftError {
        GraftError(.diverged, "tensor \(JSON.string(name).shortText): it has \(what)")
    }
}
