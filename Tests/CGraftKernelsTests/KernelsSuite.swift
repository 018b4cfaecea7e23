import CGraftKernels
import Testing

/// Every kernel test hangs in this suite. The chosen path is one setting of the process, so they
/// run one at a time.
@Suite(.serialized) enum Kernels {}

/// The instruction-set paths of the kernels.
enum Paths {
    static let best = String(cString: gk_path_name())

    /// The paths this processor has, slowest first.
    static let all = ["portable", "avx2", "avx512", "avx512bf16"].filter { name in
        let supported = gk_choose_path(name)
        _ = gk_choose_path(best)
        return supported
    }
}

/// Runs `body` once on every path this processor has, and goes back to the best one.
func onEveryPath(_ body: (String) throws -> Void) rethrows {
    defer { _ = gk_choose_path(Paths.best) }
    for name in Paths.all {
        #expect(gk_choose_path(name), "path \(name)")
        try body(name)
    }
}

/// A team of threads with its scratch memory. It has as many as it wants, also where there are
/// fewer processors.
final class Team {
    let memory: UnsafeMutableRawPointer
    private var value: gk_team

    private static let hasProcessors: Bool = {
        gk_assume_processors(8)
        gk_hold_workers()
        return true
    }()

    init(_ threadCount: Int = 1) {
        precondition(Self.hasProcessors)
        memory = .allocate(byteCount: gk_scratch_size(Int32(threadCount)), alignment: 64)
        value = gk_team(thread_count: Int32(threadCount), reserved: 0, scratch: memory)
    }

    deinit { memory.deallocate() }

    func run<Result>(_ body: (UnsafePointer<gk_team>) -> Result) -> Result {
        body(&value)
    }
}
