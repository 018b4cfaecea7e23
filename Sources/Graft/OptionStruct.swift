import CGraft
import GraftTensor

/// A C struct that begins with its own size, so that programs and libraries of different releases
/// understand each other: fields are only ever appended.
protocol OptionStruct {
    var struct_size: Int { get set }
    init()
    static var defaults: Self { get }
    /// Size in the release that brought it, whatever was appended since: no program has a smaller
    /// one.
    static var firstSize: Int { get }
}

extension OptionStruct {
    /// All zero but the size. Defaults start from here, so that they stay whole when a field is
    /// appended.
    static var zero: Self {
        var options = Self()
        options.struct_size = MemoryLayout<Self>.size
        return options
    }

    /// `graft_x_options_init`: as many bytes of the defaults as the caller's struct has.
    static func initialize(_ out: UnsafeMutablePointer<Self>?, size: Int) {
        guard let out, size >= MemoryLayout<Int>.size, size <= 1 << 16 else { return }
        let start = UnsafeMutableRawPointer(out)
        start.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        undisturbed { copy(Self.defaults, to: start, size: size) }
    }

    /// What the caller set; defaults where the struct is NULL or ends early.
    static func read(_ pointer: UnsafePointer<Self>?, _ name: String) throws(GraftError) -> Self {
        guard let pointer else { return defaults }
        let start = UnsafeRawPointer(pointer)
        let size = start.load(as: Int.self)
        try checkSize(size, name)
        for offset in min(size, MemoryLayout<Self>.size)..<size
        where start.load(fromByteOffset: offset, as: UInt8.self) != 0 {
            throw GraftError(
                .unsupported,
                "\(name): a field at byte \(offset) is set, which this release of the library does not know")
        }
        var value = defaults
        withUnsafeMutableBytes(of: &value) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: start, count: min(size, MemoryLayout<Self>.size)))
        }
        return value
    }

    /// Writes results into the caller's struct, as many fields as it has.
    func write(to pointer: UnsafeMutablePointer<Self>) {
        let start = UnsafeMutableRawPointer(pointer)
        Self.copy(self, to: start, size: start.load(as: Int.self))
    }

    private static func copy(_ value: Self, to start: UnsafeMutableRawPointer, size: Int) {
        var value = value
        value.struct_size = size
        let known = min(size, MemoryLayout<Self>.size)
        withUnsafeBytes(of: &value) {
            UnsafeMutableRawBufferPointer(start: start, count: known)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<known]))
        }
    }

    static func checkSize(_ size: Int, _ name: String) throws(GraftError) {
        guard size >= firstSize, size <= 1 << 16 else {
            throw GraftError(
                .invalidArgument,
                "\(name): struct_size is \(size), expected at least \(firstSize): fill the struct with its _init function"
            )
        }
    }
}
