import Glibc
import GraftTensor

/// Texts and results as files of records: a 32-bit little-endian length, then as many bytes.
enum Records {
    static func read(_ path: String) throws(GraftError) -> [[UInt8]] {
        let bytes = try MappedFile.contents(of: path)
        var records: [[UInt8]] = []
        var position = 0
        while position + 4 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
            guard length <= bytes.count - position - 4 else {
                throw GraftError(.corruptFile, "\(path): a record of \(length) bytes goes beyond the end of the file")
            }
            records.append(Array(bytes[position + 4..<position + 4 + length]))
            position += 4 + length
        }
        return records
    }

    static func write(_ records: [[UInt8]], to path: String) throws(GraftError) {
        guard let file = fopen(path, "wb") else { throw GraftError(.io, "\(path): cannot create") }
        for record in records {
            fwrite(littleEndian([Int32(record.count)]), 1, 4, file)
            fwrite(record, 1, record.count, file)
        }
        guard fclose(file) == 0 else { throw GraftError(.io, "\(path): cannot write") }
    }

    static func littleEndian(_ numbers: [Int32]) -> [UInt8] {
        numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }
}
