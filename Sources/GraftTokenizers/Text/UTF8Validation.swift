import GraftFormats

/// Whether text is well-formed UTF-8; ASCII goes by eight bytes at a time.
enum UTF8Validation {
    /// Offset of the first byte that starts no valid character, or nil.
    static func firstInvalid(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        let bytes = UnsafeRawBufferPointer(text)
        var position = 0
        while position < bytes.count {
            while position + 8 <= bytes.count,
                bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                position += 8
            }
            guard position < bytes.count else { break }
            guard let length = UTF8Scanning.sequenceLength(in: bytes, at: position) else { return position }
            position += length
        }
        return nil
    }
}
