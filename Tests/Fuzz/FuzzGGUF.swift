import GraftFormats
import GraftTensor

/// Any bytes are read or refused; what is read lies within the file, and every tensor has the bytes
/// that its type and shape take.
@c(LLVMFuzzerTestOneInput)
public func fuzzGGUF(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // An allocation of exactly this size, so that a read beyond it is noticed.
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: UnsafeBufferPointer(start: start, count: count))
    check(UnsafeRawBufferPointer(bytes))
    return 0
}

private func check(_ file: UnsafeRawBufferPointer) {
    guard let header = try? GGUFHeader(file, source: "input") else { return }
    var sum = 0
    for entry in header.entries {
        for byte in file[entry.range] { sum &+= Int(byte) }
        precondition(header.entry(entry.name) == entry, "a tensor is not found by its name")
        precondition(entry.type.byteCount(shape: entry.shape) == entry.range.count)
        guard let type = entry.type.kernelType, !entry.range.isEmpty else { continue }
        guard let copy = try? MappedFile(copyOf: file, path: "input"),
            let rows = try? TensorRows(copy, range: entry.range, type: type, name: entry.name, path: "input")
        else { preconditionFailure("a tensor cannot be read") }
        let elements = entry.shape.reduce(1, *)
        let numbers = UnsafeMutablePointer<Float>.allocate(capacity: elements)
        defer { numbers.deallocate() }
        rows.copy(count: elements, into: numbers)
    }
    for (key, _) in header.metadata { precondition(header[key] != nil, "a key is not found") }
    guard let copy = try? MappedFile(copyOf: file, path: "input"), let read = try? GGUFFile(copy) else {
        preconditionFailure("what was read once is not read again")
    }
    for (key, _) in header.metadata {
        try? read.forEachText(of: key) { _, text in for byte in text { sum &+= Int(byte) } }
        _ = try? read.numbers(of: key)
    }
    precondition(sum >= 0)
}
