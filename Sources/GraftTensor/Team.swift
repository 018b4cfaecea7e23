import CGraftKernels

/// The threads of one stream of calls and their scratch memory. Results do not depend on how many there are.
package final class Team {
    package let kernel: UnsafeMutablePointer<gk_team>
    private let scratch: Memory

    /// - Parameter threadCount: 0 means one per core; at most 256.
    package init(threadCount: Int) throws(GraftError) {
        let threadCount = try Self.checkedCount(threadCount)
        let count = threadCount == 0 ? min(gk_default_thread_count(), 256) : Int32(threadCount)
        scratch = try Memory(byteCount: gk_scratch_size(count))
        kernel = .allocate(capacity: 1)
        kernel.initialize(to: gk_team(thread_count: count, reserved: 0, scratch: scratch.base))
    }

    package static func checkedCount(_ count: Int) throws(GraftError) -> Int {
        guard count >= 0, count <= 256 else {
            throw GraftError(.invalidArgument, "thread_count must be 0 (one per core) to 256, found \(count)")
        }
        return count
    }

    deinit { kernel.deallocate() }

    package var threadCount: Int { Int(kernel.pointee.thread_count) }
}
