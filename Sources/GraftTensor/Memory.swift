import CGraftMemory
import Glibc

/// A block of zeroed memory, page aligned, given back when the last reference goes.
///
/// The system provides its pages as they are touched, so an untouched part costs nothing.
package final class Memory: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int

    package init(byteCount: Int) throws(GraftError) {
        let size = max(byteCount, 1)
        guard size < Int.max / 2,
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else {
            throw GraftError(.outOfMemory, "the system refused \(byteCount) bytes of memory")
        }
        if size >= 2 << 20 { madvise(base, size, MADV_HUGEPAGE) }
        self.base = base
        self.byteCount = size
    }

    deinit { munmap(base, byteCount) }

    /// Announces that this call will allocate up to so many bytes at once in memory that cannot be
    /// refused: Swift ends the process where an array or a string finds none. Whoever fills such
    /// memory from a file or from what a caller holds says so here; what only grows, by at most
    /// doubling, needs no announcement.
    package static func require(_ byteCount: Int, to purpose: @autoclosure () -> String) throws(GraftError) {
        guard byteCount >= smallest || gm_is_short() else { return }
        guard byteCount >= 0, gm_announce(byteCount) else {
            throw GraftError(.outOfMemory, "\(purpose()): the system refused \(byteCount) bytes of memory")
        }
    }

    /// Blocks below this come from the reserve where the system has none.
    private static let smallest = 64 << 10

    /// Fails where the system has refused memory since the call began. A loop whose length a file
    /// or a caller decides, and which allocates, asks this each time around: what it allocates
    /// until then comes from a reserve, which is small.
    @inline(__always)
    package static func check() throws(GraftError) {
        if gm_is_short() { throw isShort }
    }

    private static var isShort: GraftError { GraftError(.outOfMemory, "the system refuses more memory") }

    /// The first `count` numbers from `offset` numbers on.
    package func floats(from offset: Int = 0) -> UnsafeMutablePointer<Float> {
        base.assumingMemoryBound(to: Float.self) + offset
    }
}
