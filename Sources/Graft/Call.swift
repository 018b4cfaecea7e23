import CGraft
import CGraftKernels
import CGraftMemory
import Glibc
import GraftTensor

/// Runs a fallible entry point: 0, or the code of the error, whose message this thread then keeps.
func call(_ body: () throws(GraftError) -> Void) -> graft_status {
    undisturbed {
        do throws(GraftError) {
            guard gm_has_reserve() else { throw GraftError(.outOfMemory, "the system refuses memory for any call") }
            try body()
            return graft_status(GRAFT_OK)
        } catch {
            LastError.set(error.message)
            return error.code.rawValue
        }
    }
}

/// Runs what an entry point does apart from what the host has set for its own arithmetic, such as
/// how it rounds; that holds again afterwards.
func undisturbed<Result>(_ body: () -> Result) -> Result {
    let outer = gm_begin()
    gk_begin_call()
    defer {
        gk_end_call()
        gm_end(outer)
    }
    return body()
}

/// Runs the host's code amid a call: with the host's own settings, and with no thread kept from
/// other callers.
func callBack<Result>(_ body: () -> Result) -> Result {
    gk_pause_call()
    defer { gk_begin_call() }
    return body()
}

/// Writes a new handle through `out`, which must not be NULL; checked before the work is done.
func create(_ out: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(GraftError) -> AnyObject) -> graft_status {
    call { () throws(GraftError) in
        let out = try place(out)
        let object = try make()
        try Memory.check()
        out.pointee = try HandleTable.insert(object)
    }
}

/// Where to write a handle.
func place(
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) throws(GraftError) -> UnsafeMutablePointer<OpaquePointer?> {
    guard let out else { throw GraftError(.invalidArgument, "out is NULL; expected where to write the handle") }
    return out
}

/// `graft_x_retain`: one more owner of a handle.
func retain<Object: AnyObject>(_ handle: OpaquePointer?, _ kind: Object.Type, _ name: String) -> graft_status {
    call { () throws(GraftError) in try HandleTable.retain(handle, kind, name) }
}

/// A C string as text.
func text(
    _ pointer: UnsafePointer<CChar>?, _ name: @autoclosure () -> String
) throws(GraftError) -> String {
    guard let pointer else { throw GraftError(.invalidArgument, "\(name()) is NULL; expected UTF-8 text") }
    // The text, what is made of it, and a message that repeats it.
    try Memory.require(4 * strlen(pointer), to: name())
    guard let text = String(validatingCString: pointer) else {
        throw GraftError(.invalidArgument, "\(name()) is not valid UTF-8")
    }
    return text
}

/// As `text`, with nil for NULL.
func optionalText(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(GraftError) -> String? {
    guard let pointer else { return nil }
    return try text(pointer, name)
}

/// An array of C strings as texts.
func texts(
    _ start: UnsafePointer<UnsafePointer<CChar>?>?, count: Int, _ name: String
) throws(GraftError) -> [String] {
    let pointers = try array(start, count: count, name)
    try Memory.require(MemoryLayout<String>.stride * count, to: name)
    var found: [String] = []
    found.reserveCapacity(count)
    for (index, pointer) in pointers.enumerated() {
        try Memory.check()
        found.append(try text(pointer, "\(name)[\(index)]"))
    }
    return found
}

/// The bytes of a text: as many as `size` points to, or with NULL those of a C string, without its
/// NUL.
func bytes(
    _ start: UnsafePointer<CChar>?, size: UnsafePointer<Int64>?, _ name: @autoclosure () -> String
) throws(GraftError) -> UnsafeBufferPointer<UInt8> {
    var length = 0
    if let size {
        length = try count(size.pointee, "the size of \(name())")
        guard start != nil || length == 0 else {
            throw GraftError(.invalidArgument, "\(name()) is NULL; expected \(length) bytes of UTF-8 text")
        }
    } else if let start {
        length = strlen(start)
    } else {
        throw GraftError(.invalidArgument, "\(name()) is NULL; expected UTF-8 text")
    }
    return UnsafeBufferPointer(
        start: UnsafeRawPointer(start)?.assumingMemoryBound(to: UInt8.self), count: length)
}

/// As `bytes`, with nil for a text that is not there: NULL, and no size says that it is empty.
func optionalBytes(
    _ start: UnsafePointer<CChar>?, size: UnsafePointer<Int64>?, _ name: String
) throws(GraftError) -> UnsafeBufferPointer<UInt8>? {
    guard start != nil || size != nil else { return nil }
    return try bytes(start, size: size, name)
}

/// A count or capacity from a caller.
func count(
    _ value: Int64, _ name: @autoclosure () -> String, from least: Int64 = 0, atMost most: Int64 = 1 << 40
) throws(GraftError) -> Int {
    guard value >= least, value <= most else {
        throw GraftError(.invalidArgument, "\(name()) must be \(least) to \(most), found \(value)")
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

/// Writes numbers to an array of the caller's.
func write(
    _ numbers: [Int32], to out: UnsafeMutablePointer<Int32>?, capacity: Int64
) throws(GraftError) {
    let start = try output(out, capacity: capacity, needs: numbers.count, "out")
    for (index, number) in numbers.enumerated() { start[index] = number }
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
