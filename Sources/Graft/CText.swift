import Glibc

/// Text as a C string that lives as long as this object.
final class CText: @unchecked Sendable {
    let pointer: UnsafePointer<CChar>?

    init(_ text: String) { pointer = UnsafePointer(strdup(text)) }

    deinit { free(UnsafeMutablePointer(mutating: pointer)) }
}
