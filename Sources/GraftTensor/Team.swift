import CGraftKernels

/// The threads of one stream of calls and their scratch memory. Results do not depend on how many there are.
package final class Team {
    package let kernel: UnsafeMutablePointer<gk_team>
    private let scratch: Memory

    /// - Parameter threadCount: 0 means one per core; at most 256.
    package init(threadCount: Int) throws(GraftError) {
        guard threadCount >= 0, threadCount <= 256 else {
            throw GraftError(
                .invalidArgument, "thread_count must be 0 (one per core) to 256, found \(threadCount)")
        }
        if let missing = gk_missing_path() {
            throw GraftError(
                .unsupported,
                "GRAFT_KERNELS is \"\(String(cString: missing))\", which is no instruction set of this processor; the best "
                    + "it has is \"\(String(cString: gk_path_name()))\"")
        }
        let count = threadCount == 0 ? min(gk_default_thread_count(), 256) : Int32(threadCount)
        scratch = try Memory(byteCount: gk_scratch_size(count))
        kernel = .allocate(capacity: 1)
        kernel.initialize(to: gk_team(thread_count: count, reserved: 0, scratch: scratch.base))
    }

    deinit { kernel.deallocate() }

    package var threadCount: Int { Int(kernel.pointee.thread_count) }
}
