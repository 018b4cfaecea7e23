import Glibc
import GraftTensor

/// A tensor where it lies in a mapped file: nothing is copied.
///
/// It keeps the mapping alive. Its bytes start wherever the file puts them, so elements are read
/// unaligned.
package struct StoredTensor: Sendable {
    package let name: String
    package let elementType: ElementType
    /// Sizes from the slowest to the fastest index; empty for a single number.
    package let shape: [Int]
    package let file: MappedFile
    /// Offsets in the file.
    let range: Range<Int>

    init(name: String, elementType: ElementType, shape: [Int], file: MappedFile, range: Range<Int>) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.file = file
        self.range = range
    }

    /// Numbers in memory that fill a shape; `path` is what messages call their file.
    init(float32 memory: Memory, name: String, shape: [Int], path: String) {
        let count = 4 * shape.reduce(1, *)
        self.init(
            name: name, elementType: .float32, shape: shape, file: MappedFile(memory, byteCount: count, path: path),
            range: 0..<count)
    }

    /// The elements, little-endian. Valid while the file is mapped: while some value that holds
    /// `file` is stored, not merely in scope. Where that is not certain, use `withBytes`.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[range])
    }

    /// Calls `body` with the elements; the file stays mapped during the call.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try file.withBytes { bytes throws(Failure) in try body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }

    /// Copies the elements to where there is room for them.
    package func copy(to place: UnsafeMutableRawPointer) {
        withBytes { bytes in
            if let start = bytes.baseAddress { place.copyMemory(from: start, byteCount: bytes.count) }
        }
    }

    /// Whether another tensor has the same type, shape and bytes.
    package func holdsTheSame(as other: StoredTensor?) -> Bool {
        guard let other, elementType == other.elementType, shape == other.shape else { return false }
        return withBytes { own in
            other.withBytes { bytes in
                guard own.count == bytes.count, let a = own.baseAddress, let b = bytes.baseAddress else {
                    return own.isEmpty && bytes.isEmpty
                }
                return memcmp(a, b, own.count) == 0
            }
        }
    }

    package var elementCount: Int {
        range.count * 8 / elementType.bitWidth
    }

    /// Lets the system drop the tensor's pages from memory, once it was packed or copied. It can
    /// still be read.
    package func release() {
        file.adviseDontNeed(range)
    }
}
