import GraftTensor

/// What takes a file's bytes, one part after the other.
package protocol ByteOutput: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws(GraftError)
}

extension ByteOutput {
    package func write(_ bytes: [UInt8]) throws(GraftError) {
        try bytes.withUnsafeBufferPointer { buffer throws(GraftError) in
            try write(UnsafeRawBufferPointer(buffer))
        }
    }

    package func write(_ text: String) throws(GraftError) {
        try write(Array(text.utf8))
    }
}

/// Keeps the bytes in memory.
package final class BytesOutput: ByteOutput {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package func write(_ part: UnsafeRawBufferPointer) throws(GraftError) {
        // An array that grows is copied into one of twice the size.
        try Memory.require(3 * (bytes.count + part.count), to: "a file in memory")
        bytes.append(contentsOf: part)
    }
}
