import CGraftKernels

/// Who provides the threads that kernels run on: the library's own workers, or the OpenMP runtime
/// of a host.
package enum Executor {
    private static let names = "\"threads\" (Graft's own) or \"openmp\""

    /// Chooses by GRAFT_EXECUTOR, where nothing is chosen yet.
    static func open() throws(GraftError) {
        var asked: UnsafePointer<CChar>?
        let status = gk_open_executor(&asked)
        let name = asked.map { String(cString: $0) } ?? ""
        if let error = error(status, name, "GRAFT_EXECUTOR is") { throw error }
    }

    /// For all that is computed from now on, by any session.
    package static func choose(_ name: String) throws(GraftError) {
        if let error = error(gk_choose_executor(name), name, "the executor is") { throw error }
    }

    private static func error(_ status: gk_executor_status, _ name: String, _ subject: String) -> GraftError? {
        switch status {
        case GK_EXECUTOR_READY: nil
        case GK_EXECUTOR_MISSING:
            GraftError(
                .unsupported,
                "\(subject) \"\(name)\", and no OpenMP runtime was found: neither in this process nor as libomp.so.5, libomp.so, "
                    + "libiomp5.so or libgomp.so.1")
        default: GraftError(.unsupported, "\(subject) \"\(name)\"; expected \(names)")
        }
    }
}
