public import CGraft
import CGraftKernels
import GraftTensor

private let version: StaticString = "1.0.0"

@c @implementation
public func graft_version_number() -> Int32 {
    Int32(GRAFT_VERSION_MAJOR * 1_000_000 + GRAFT_VERSION_MINOR * 1000 + GRAFT_VERSION_PATCH)
}

@c @implementation
public func graft_version_string() -> UnsafePointer<CChar>? { characters(version) }

@c @implementation
public func graft_kernel_name() -> UnsafePointer<CChar>? { gk_path_name() }

@c @implementation
public func graft_executor_name() -> UnsafePointer<CChar>? { gk_executor_name() }

@c @implementation
public func graft_set_executor(_ name: UnsafePointer<CChar>?) -> graft_status {
    call { () throws(GraftError) in try Executor.choose(try text(name, "name")) }
}

@c @implementation
public func graft_last_error_message() -> UnsafePointer<CChar>? { LastError.message }

@c @implementation
public func graft_status_name(_ status: graft_status) -> UnsafePointer<CChar>? {
    switch Int(status) {
    case GRAFT_OK: characters("GRAFT_OK")
    case GRAFT_ERROR_INVALID_ARGUMENT: characters("GRAFT_ERROR_INVALID_ARGUMENT")
    case GRAFT_ERROR_NOT_FOUND: characters("GRAFT_ERROR_NOT_FOUND")
    case GRAFT_ERROR_IO: characters("GRAFT_ERROR_IO")
    case GRAFT_ERROR_CORRUPT_FILE: characters("GRAFT_ERROR_CORRUPT_FILE")
    case GRAFT_ERROR_UNSUPPORTED: characters("GRAFT_ERROR_UNSUPPORTED")
    case GRAFT_ERROR_INCOMPATIBLE: characters("GRAFT_ERROR_INCOMPATIBLE")
    case GRAFT_ERROR_BUFFER_TOO_SMALL: characters("GRAFT_ERROR_BUFFER_TOO_SMALL")
    case GRAFT_ERROR_OUT_OF_MEMORY: characters("GRAFT_ERROR_OUT_OF_MEMORY")
    case GRAFT_ERROR_CANCELLED: characters("GRAFT_ERROR_CANCELLED")
    case GRAFT_ERROR_DIVERGED: characters("GRAFT_ERROR_DIVERGED")
    case GRAFT_ERROR_INTERNAL: characters("GRAFT_ERROR_INTERNAL")
    default: characters("unknown")
    }
}

/// A literal, which is NUL-terminated and lives as long as the process.
func characters(_ text: StaticString) -> UnsafePointer<CChar>? {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation
public func graft_cancel_token_create(_ out: UnsafeMutablePointer<OpaquePointer?>?) -> graft_status {
    create(out) { CancelToken() }
}

@c @implementation
public func graft_cancel_token_cancel(_ token: OpaquePointer?) {
    HandleTable.peek(token, CancelToken.self)?.cancel()
}

@c @implementation
public func graft_cancel_token_retain(_ token: OpaquePointer?) -> graft_status {
    retain(token, CancelToken.self, "token")
}

@c @implementation
public func graft_cancel_token_release(_ token: OpaquePointer?) { HandleTable.release(token, CancelToken.self) }
