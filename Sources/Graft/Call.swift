import CGraft
import CGraftMemory
import Glibc
import GraftTensor

/// Runs a fallible entry point: 0, or the code of the error, whose message this thread then keeps.
func call(_ body: () throws(GraftError) -> Void) -> graft_status {
    let outer = gm_begin()
    defer { gm_end(outer) }
    do throws(GraftError) {
        guard gm_has_reserve() else { throw GraftError(.outOfMemory, "the system refuses memory for any call") }
        try body()
        return graft_status(GRAFT_OK)
    } catch {
        LastError.set(error.message)
        return error.code.rawValue
    }
}

/// Writes a new handle through `out`, which must not be NULL; checked before the work is done.
func create(_ out: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(GraftError) -> AnyObject) -> graft_status {
    call { () throws(GraftError) in
        guard let out else { throw GraftError(.invalidArgument, "out is NULL; expected where to write the handle") }
        let object = try make()
        try Memory.check()
        out.pointee = try HandleTable.insert(object)
    }
}

/// A C string as text.
func text(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(GraftError) -> String {
    guard let pointer else { throw GraftError(.invalidArgument, "\(name) is NULL; expected UTF-8 text") }
    // The text, what is made of it, and a message that repeats it.
    try Memory.require(4 * strlen(pointer), to: name)
    guard let text = String(validatingCString: pointer) else {
        throw GraftError(.invalidArgument, "\(name) is not valid UTF-8")
    }
    return text
}

/// As `text`, with nil for NULL.
func optionalText(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(GraftError) -> String? {
    guard let pointer else { return nil }
    return try text(pointer, name)
}

/// As `bytes`, with nil for NULL.
func optionalBytes(
    _ pointer: UnsafePointer<CChar>?, _ name: String
) throws(GraftError) -> UnsafeBufferPointer<UInt8>? {
    guard let pointer else { return nil }
    return try bytes(pointer, name)
}

/// The bytes of a C string, without its NUL.
func bytes(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(GraftError) -> UnsafeBufferPointer<UInt8> {
    guard let pointer else { throw GraftError(.invalidArgument, "\(name) is NULL; expected UTF-8 text") }
    return UnsafeBufferPointer(
        start: UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt8.self), count: strlen(pointer))
}

/// A count or capacity from a caller.
func count(_ value: Int64, _ name: String, atMost most: Int64 = 1 << 40) throws(GraftError) -> Int {
    guard value >= 0, value <= most else {
        throw GraftError(.invalidArgument, "\(name) must be 0 to \(most), found \(value)")
    }
    return Int(value)
}

/// An array from a caller: NULL only where it is empty.
func array<Element>(
    _ start: UnsafePointer<Element>?, count: Int, _ name: String
) throws(GraftError) -> UnsafeBufferPointer<Element> {
    guard start != nil || count == 0 else {
        throw GraftError(.invalidArgument, "\(name) is NULL; expected \(count) elements")
    }
    return UnsafeBufferPointer(start: start, count: count)
}

/// An array from a caller, to be kept.
func copied<Element>(_ elements: UnsafeBufferPointer<Element>, _ name: String) throws(GraftError) -> [Element] {
    try Memory.require(elements.count * MemoryLayout<Element>.stride, to: name)
    return Array(elements)
}

/// Where to write results: big enough, or BUFFER_TOO_SMALL.
func output<Element>(
    _ start: UnsafeMutablePointer<Element>?, capacity: Int64, needs needed: Int, _ name: String
) throws(GraftError) -> UnsafeMutablePointer<Element> {
    let capacity = try count(capacity, "capacity")
    guard capacity >= needed else {
        throw GraftError(.bufferTooSmall, "\(name) has room for \(capacity) elements; \(needed) are needed")
    }
    guard let start else { throw GraftError(.invalidArgument, "\(name) is NULL; expected room for \(needed) elements") }
    return start
}

/// A choice of an enumeration from a caller.
func choice<Choice: RawRepresentable>(
    _ value: Int32, _ type: Choice.Type, _ name: String
) throws(GraftError) -> Choice where Choice.RawValue == Int32 {
    guard let choice = Choice(rawValue: value) else {
        throw GraftError(.invalidArgument, "\(name) has no value \(value)")
    }
    return choice
}

/// 0 or 1 from a caller.
func flag(_ value: Int32, _ name: String) throws(GraftError) -> Bool {
    guard value == 0 || value == 1 else { throw GraftError(.invalidArgument, "\(name) must be 0 or 1, found \(value)") }
    return value == 1
}
