import Glibc

/// What went wrong: a code for programs, and a message for people that says what was expected, what
/// was found, and where.
///
/// The codes are those of `graft_status` in `include/graft.h`. A function that can fail throws
/// nothing else.
package struct GraftError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Int32, Sendable {
        case invalidArgument = 1
        case notFound = 2
        case io = 3
        case corruptFile = 4
        case unsupported = 5
        case incompatible = 6
        case bufferTooSmall = 7
        case outOfMemory = 8
        case cancelled = 9
        case diverged = 10
        case `internal` = 11
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Of a system call on a file that failed with `errno`.
    package init(systemCode: Int32, _ message: String) {
        switch systemCode {
        case ENOENT, ENOTDIR: self.init(.notFound, message)
        case ENOMEM: self.init(.outOfMemory, message)
        default: self.init(.io, message)
        }
    }

    package var description: String { "\(code): \(message)" }
}

/// Reads what a caller gave as files give it: what makes a file corrupt is an invalid argument.
package func ofCaller<Result>(_ read: () throws(GraftError) -> Result) throws(GraftError) -> Result {
    do throws(GraftError) {
        return try read()
    } catch  where error.code == .corruptFile {
        throw GraftError(.invalidArgument, error.message)
    }
}

/// Says of which row an error is.
package func ofRow<Result>(_ row: Int, _ body: () throws(GraftError) -> Result) throws(GraftError) -> Result {
    do throws(GraftError) {
        return try body()
    } catch {
        throw GraftError(error.code, "row \(row): \(error.message)")
    }
}
