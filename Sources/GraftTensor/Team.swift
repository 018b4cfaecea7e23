import CGraftKernels

/// The threads of one stream of calls, at most, and their scratch memory. Results do not depend on
/// how many there are.
package final class Team {
    package let kernel: UnsafeMutablePointer<gk_team>
    private let scratch: Memory

    /// - Parameter threadCount: 0 means one for each processor that the process may use; no more
    ///   are used than that.
    package init(threadCount: Int) throws(GraftError) {
        let most = Int32(GK_MAXIMUM_THREADS)
        guard threadCount >= 0, threadCount <= most else {
            throw GraftError(
                .invalidArgument, "thread_count must be 0 (one per core) to \(most), found \(threadCount)")
        }
        if let missing = gk_missing_path() {
            throw GraftError(
                .unsupported,
                "GRAFT_KERNELS is \"\(String(cString: missing))\", which is no instruction set of this processor; the best "
                    + "it has is \"\(String(cString: gk_path_name()))\"")
        }
        try Executor.open()
        gk_read_limits()
        let processors = gk_processor_count()
        let count = threadCount == 0 ? processors : min(processors, Int32(threadCount))
        scratch = try Memory(byteCount: gk_scratch_size(count))
        kernel = .allocate(capacity: 1)
        kernel.initialize(to: gk_team(thread_count: count, reserved: 0, scratch: scratch.base))
        gk_hold_workers()
    }

    deinit {
        gk_release_workers()
        kernel.deallocate()
    }

    package var residentByteCount: Int { scratch.residentByteCount }

    package var threadCount: Int { Int(kernel.pointee.thread_count) }
}
