import Glibc

/// LAPACK out of OpenBLAS: opened when something first asks for it, and never linked.
///
/// Each call computes on one thread, so that the same machine gives the same bits; how many threads
/// OpenBLAS has for the host is the same afterwards.
struct Lapack: Sendable {
    /// `sgesdd_`, with the length of its text at the end, as Fortran's compilers pass it.
    typealias DivideAndConquer =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<Int32>, UnsafePointer<Int32>, UnsafeMutablePointer<Float>,
            UnsafePointer<Int32>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafePointer<Int32>,
            UnsafeMutablePointer<Float>, UnsafePointer<Int32>, UnsafeMutablePointer<Float>, UnsafePointer<Int32>,
            UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>, Int
        ) -> Void
    private typealias GetThreads = @convention(c) () -> Int32
    private typealias SetThreads = @convention(c) (Int32) -> Void

    let sgesdd: DivideAndConquer
    /// nil in a LAPACK that has no threads.
    private let threads: (get: GetThreads, set: SetThreads)?

    /// OpenBLAS, or another LAPACK under Debian's name for whichever is installed.
    private static let names = ["libopenblas.so.0", "liblapack.so.3"]
    /// What OpenBLAS takes for each of its threads, and cannot be refused.
    private static let bytesOfThread = 128 << 20

    private static let opened = Guarded<Lapack?>(nil)

    /// Runs `body` on one of OpenBLAS' threads, the caller's. Calls come one at a time.
    static func use<Result>(
        _ body: (Lapack) throws(GraftError) -> Result
    ) throws(GraftError) -> Result {
        try opened.withLock { (known: inout Lapack?) throws(GraftError) -> Result in
            let threadCount = known == nil ? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) : 1
            // It ends the process where the system has no memory for it.
            _ = try Memory(byteCount: threadCount * bytesOfThread)
            let lapack = if let known { known } else { try open() }
            known = lapack
            guard let threads = lapack.threads else { return try body(lapack) }
            let before = threads.get()
            if before != 1 { withoutSignals { threads.set(1) } }
            defer { if before != 1 { withoutSignals { threads.set(before) } } }
            return try body(lapack)
        }
    }

    private static func open() throws(GraftError) -> Lapack {
        for name in names {
            guard let library = withoutSignals({ dlopen(name, RTLD_NOW) }), let solver = dlsym(library, "sgesdd_")
            else { continue }
            var threads: (get: GetThreads, set: SetThreads)?
            if let get = dlsym(library, "openblas_get_num_threads"),
                let set = dlsym(library, "openblas_set_num_threads")
            {
                threads = (unsafeBitCast(get, to: GetThreads.self), unsafeBitCast(set, to: SetThreads.self))
            }
            return Lapack(sgesdd: unsafeBitCast(solver, to: DivideAndConquer.self), threads: threads)
        }
        throw GraftError(
            .unsupported,
            "singular values are found by LAPACK, which is not on this machine as \(names.joined(separator: " or ")): "
                + "install Debian's package libopenblas0")
    }

    /// Threads that OpenBLAS makes take no signals of the host.
    private static func withoutSignals<Result>(_ body: () -> Result) -> Result {
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return body()
    }
}
