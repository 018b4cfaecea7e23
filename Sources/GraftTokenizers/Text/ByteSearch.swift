/// Finding and replacing a run of bytes.
enum ByteSearch {
    /// The first position from `start` on, and before `end`, where `pattern`, which is not empty,
    /// stands whole.
    static func first(
        _ pattern: some RandomAccessCollection<UInt8>, in bytes: UnsafeBufferPointer<UInt8>, from start: Int,
        to end: Int
    ) -> Int? {
        guard let lead = pattern.first else { return nil }
        var position = start
        while position + pattern.count <= end {
            if bytes[position] == lead, bytes[position...].starts(with: pattern) { return position }
            position += 1
        }
        return nil
    }

    static func replacing(_ pattern: [UInt8], with replacement: [UInt8], in text: [UInt8]) -> [UInt8] {
        guard !pattern.isEmpty else { return text }
        return text.withUnsafeBufferPointer { bytes in
            var result: [UInt8] = []
            var copied = 0
            while let position = first(pattern, in: bytes, from: copied, to: bytes.count) {
                result.append(contentsOf: bytes[copied..<position])
                result.append(contentsOf: replacement)
                copied = position + pattern.count
            }
            if copied == 0 { return text }
            result.append(contentsOf: bytes[copied...])
            return result
        }
    }
}
