import CGraftKernels
import GraftTensor

/// A tensor as a kernel reads it: row after row of numbers, or of blocks of quantised ones.
///
/// What packs and gathers asks for these, and what multiplies may one day: every type is one that
/// the kernels know, and nothing was made of the numbers yet.
package struct TensorRows: Sendable {
    package let type: gk_type
    /// Valid while the file is stored somewhere.
    package nonisolated(unsafe) let start: UnsafeRawPointer
    package let file: MappedFile
    /// Offsets in the file.
    let range: Range<Int>

    /// - Parameters:
    ///   - range: offsets in the file.
    ///   - name: the tensor's, for messages, as `path` is.
    package init(
        _ file: MappedFile, range: Range<Int>, type: gk_type, name: String, path: String
    ) throws(GraftError) {
        guard !range.isEmpty, let base = file.bytes.baseAddress else {
            throw GraftError(.corruptFile, "\(path): tensor \"\(name)\" is empty")
        }
        self.type = type
        self.file = file
        self.range = range
        start = base + range.lowerBound
    }

    init(_ tensor: StoredTensor, path: String) throws(GraftError) {
        guard let type = tensor.elementType.kernelType else {
            throw GraftError(
                .unsupported,
                "\(path): tensor \"\(tensor.name)\" holds \(tensor.elementType.rawValue); expected F64, F32, F16 or BF16"
            )
        }
        try self.init(tensor.file, range: tensor.range, type: type, name: tensor.name, path: path)
    }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: range.count) }

    /// The first `count` numbers, whole rows, as float32.
    package func copy(count: Int, into out: UnsafeMutablePointer<Float>) {
        defer { withExtendedLifetime(file) {} }
        gk_to_float32(Int64(count), start, type, out)
    }

    private static let bytesInPart = 64 << 20

    /// Calls `body` for some rows of `count` at a time, in order; the system may drop the pages of
    /// those behind it, so that a large table is never in memory as a whole.
    package func eachPart(
        of count: Int, _ body: (_ first: Int, _ count: Int, _ start: UnsafeRawPointer) -> Void
    ) {
        let size = range.count / count
        let most = max(Self.bytesInPart / size / 64 * 64, 64)
        for first in stride(from: 0, to: count, by: most) {
            let own = min(most, count - first)
            body(first, own, start + first * size)
            file.adviseDontNeed(range.lowerBound + first * size..<range.lowerBound + (first + own) * size)
        }
        release()
    }

    /// Lets the system drop the pages from memory; they can still be read.
    package func release() { file.adviseDontNeed(range) }

    /// Whether reading some rows should be followed by `release`: a row that is read may bring the
    /// megabyte around it.
    package var isLarge: Bool { range.count > Self.bytesInPart }
}
