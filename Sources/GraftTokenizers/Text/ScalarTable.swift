import Synchronization

/// A value for every Unicode scalar, computed when a scalar of its page of 256 is first asked for.
///
/// A lookup is two loads. Nothing is computed for scripts that do not occur, so that making a table
/// costs nothing. Any number of threads may look up: a page is published once, whole, and never
/// changes.
final class ScalarTable<Value: BitwiseCopyable & Sendable>: @unchecked Sendable {
    private static var pageCount: Int { 0x110000 >> 8 }

    /// Addresses of pages; 0 where none is computed yet. Pages belong to the table.
    private let pages: UnsafeMutablePointer<Atomic<UInt>>
    private let compute: @Sendable (Unicode.Scalar) -> Value
    private let surrogateValue: Value

    /// - Parameter surrogateValue: what stands at the positions that are no scalars; well-formed
    ///   text never asks for it.
    init(surrogateValue: Value, compute: @escaping @Sendable (Unicode.Scalar) -> Value) {
        self.surrogateValue = surrogateValue
        self.compute = compute
        pages = .allocate(capacity: Self.pageCount)
        for index in 0..<Self.pageCount { (pages + index).initialize(to: Atomic(0)) }
    }

    deinit {
        for index in 0..<Self.pageCount {
            UnsafeMutablePointer<Value>(bitPattern: pages[index].load(ordering: .relaxed))?.deallocate()
        }
        pages.deinitialize(count: Self.pageCount)
        pages.deallocate()
    }

    @inline(__always)
    subscript(scalar: UInt32) -> Value {
        assert(scalar < 0x110000)
        let address = pages[Int(scalar >> 8)].load(ordering: .acquiring)
        guard let page = UnsafePointer<Value>(bitPattern: address) else { return fill(scalar) }
        return page[Int(scalar & 0xFF)]
    }

    @inline(never)
    private func fill(_ scalar: UInt32) -> Value {
        let first = scalar & ~0xFF
        let page = UnsafeMutablePointer<Value>.allocate(capacity: 256)
        for offset in 0..<256 {
            let value = Unicode.Scalar(first + UInt32(offset)).map(compute) ?? surrogateValue
            (page + offset).initialize(to: value)
        }
        let value = page[Int(scalar & 0xFF)]
        let (isFirst, _) = pages[Int(scalar >> 8)].compareExchange(
            expected: 0, desired: UInt(bitPattern: page), ordering: .acquiringAndReleasing)
        if !isFirst { page.deallocate() }
        return value
    }
}
