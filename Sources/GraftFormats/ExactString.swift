/// A string that is compared and ordered by its bytes.
///
/// Swift's own comparison treats canonically equivalent texts as equal ("é" written as one scalar
/// and as two). Names in files are bytes: a vocabulary may hold both spellings, and Python and Rust
/// sort by code point.
package struct ExactString: Hashable, Comparable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: ExactString, right: ExactString) -> Bool {
        withBytes(left.text) { a in
            withBytes(right.text) { b in a.count == b.count && a.elementsEqual(b) }
        }
    }

    package static func < (left: ExactString, right: ExactString) -> Bool {
        withBytes(left.text) { a in
            withBytes(right.text) { b in a.lexicographicallyPrecedes(b) }
        }
    }

    package func hash(into hasher: inout Hasher) {
        Self.withBytes(text) { bytes in hasher.combine(bytes: UnsafeRawBufferPointer(bytes)) }
    }

    @inline(__always)
    static func withBytes<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
        return Array(text.utf8).withUnsafeBufferPointer(body)
    }
}
