import GraftFormats
import GraftTensor

/// Any bytes are read or refused; what is read covers the file exactly and survives writing and
/// reading.
///
/// The first byte says how the rest is meant: even, as a whole file; odd, as a header and, in the
/// second byte, how many bytes of data follow it, so that the search need not guess the header's
/// length.
@c(LLVMFuzzerTestOneInput)
public func fuzzSafetensors(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard input.count >= 2 else { return 0 }
    var file = Array(input.dropFirst(2))
    if input[0] % 2 == 1 {
        let length = withUnsafeBytes(of: UInt64(file.count).littleEndian) { Array($0) }
        file = length + file + [UInt8](repeating: 1, count: Int(input[1]))
    }
    // An allocation of exactly this size, so that a read beyond it is noticed.
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: file)
    check(UnsafeRawBufferPointer(bytes))
    return 0
}

private func check(_ file: UnsafeRawBufferPointer) {
    guard let header = try? SafetensorsHeader(file, source: "input") else { return }
    var covered = 0
    var sum = 0
    for entry in header.entries {
        covered += entry.range.count
        for byte in file[entry.range] { sum &+= Int(byte) }
        precondition(header[entry.name] == entry, "a tensor is not found by its name")
        precondition(entry.elementType.byteCount(shape: entry.shape) == entry.range.count)
    }
    precondition(sum >= 0 && covered <= file.count)
    let written = try? SafetensorsWriter.serialize(
        tensors: header.entries.map {
            ($0.name, $0.elementType, $0.shape, UnsafeRawBufferPointer(rebasing: file[$0.range]))
        }, metadata: header.metadata)
    guard let written else { preconditionFailure("what was read cannot be written") }
    let again = written.withUnsafeBytes { try? SafetensorsHeader($0, source: "written") }
    precondition(again?.entries.count == header.entries.count, "what was written reads differently")
    for entry in header.entries {
        precondition(again?[entry.name]?.shape == entry.shape, "a tensor changed in writing")
    }
}
