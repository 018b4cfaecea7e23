import CGraftKernels

/// The threads of one stream of calls and their scratch memory. Results do not depend on how many there are.
package final class Team {
    package let kernel: UnsafeMutablePointer<gk_team>
    private let scratch: Memory
    private let wantedCount: Int32

    /// - Parameter threadCount: 0 means one per core; at most 256.
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
        let count = threadCount == 0 ? min(gk_default_thread_count(), most) : Int32(threadCount)
        wantedCount = count
        scratch = try Memory(byteCount: gk_scratch_size(count))
        kernel = .allocate(capacity: 1)
        kernel.initialize(to: gk_team(thread_count: count, reserved: 0, scratch: scratch.base))
    }

    deinit { kernel.deallocate() }

    /// Has the threads there, or as many of them as the system allows, for the kernels that the calling thread calls next.
    package func assemble() { kernel.pointee.thread_count = gk_available_threads(wantedCount) }

    package var residentByteCount: Int { scratch.residentByteCount }

    package var threadCount: Int { Int(kernel.pointee.thread_count) }
}
