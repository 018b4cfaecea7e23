import Glibc
import GraftMatrix
import GraftTensor

/// The training of a cell in another process.
struct TrainingProcess {
    private let process: pid_t

    /// Resumes from the checkpoint if it is there, and saves the adapter at `end`.
    init(_ cell: Cell, checkpoint: String, end: String) throws {
        // The program is built beside the one that runs the tests.
        var path = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/exe", &path, path.count - 1) > 0, let folder = dirname(&path) else {
            throw GraftError(.io, "where this process came from is unknown")
        }
        let program = String(cString: folder) + "/MatrixTraining"
        let words = [
            program, cell.architecture, cell.method, cell.settings ?? "", cell.task?.name ?? "", checkpoint, end,
        ]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let error = posix_spawn(&process, program, nil, nil, &arguments, environ)
        guard error == 0 else { throw GraftError(.io, "\(program): \(String(cString: strerror(error)))") }
        self.process = process
    }

    /// Waits for a checkpoint, or for the process's end, and a while longer, and kills it.
    func kill(after checkpoint: String, microseconds: UInt32) {
        while access(checkpoint, F_OK) != 0, !hasEnded { usleep(500) }
        usleep(microseconds)
        Glibc.kill(process, SIGKILL)
    }

    /// Whether the process ended by itself and well, rather than killed.
    func wait() throws -> Bool {
        var status: Int32 = 0
        guard waitpid(process, &status, 0) == process else { throw GraftError(.io, "the process is lost") }
        if status & 0x7f == SIGKILL { return false }
        guard status == 0 else { throw GraftError(.internal, "the training ended with status \(status)") }
        return true
    }

    private var hasEnded: Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT) != 0 || information.si_signo != 0
    }
}
