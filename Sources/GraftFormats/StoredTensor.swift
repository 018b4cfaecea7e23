import GraftTensor

/// A tensor where it lies in a mapped file: nothing is copied.
///
/// It keeps the mapping alive. Its bytes start wherever the file puts them, so elements are read unaligned.
package struct StoredTensor: Sendable {
    package let name: String
    package let elementType: ElementType
    /// Sizes from the slowest to the fastest index; empty for a single number.
    package let shape: [Int]
    package let file: MappedFile
    /// Offsets in the file.
    let range: Range<Int>

    /// The elements, little-endian. Valid while this value, or its file, is alive.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[range])
    }

    package var elementCount: Int {
        range.count * 8 / elementType.bitWidth
    }

    /// Lets the system drop the tensor's pages from memory, once it was packed or copied. It can still be read.
    package func release() {
        file.adviseDontNeed(range)
    }
}
