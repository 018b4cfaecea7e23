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

    /// Checks that the system would give about so much memory, before work that takes it in pieces which cannot be refused:
    /// Swift ends the process where an array or an object finds no memory. Small amounts are not checked.
    package static func require(_ byteCount: Int, to purpose: @autoclosure () -> String) throws(GraftError) {
        guard byteCount >= 1 << 20 else { return }
        do throws(GraftError) {
            _ = try Memory(byteCount: byteCount)
        } catch {
            throw GraftError(error.code, "\(purpose()): \(error.message)")
        }
    }

    /// The first `count` numbers from `offset` numbers on.
    package func floats(from offset: Int = 0) -> UnsafeMutablePointer<Float> {
        base.assumingMemoryBound(to: Float.self) + offset
    }
}
