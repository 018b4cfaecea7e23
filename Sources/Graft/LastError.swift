import Glibc

/// The message of each thread's latest failed call.
enum LastError {
    /// Memory of the thread's message, which the system gives back when the thread ends; nil where
    /// the process has used up the system's keys.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key) { free($0) } == 0 ? key : nil
    }()

    /// Bytes of a message: more would be a file or an argument repeated, not described.
    private static let longest = 4000

    static func set(_ message: String) {
        guard let key else { return }
        var bytes = message.utf8.prefix(longest).map { $0 == 0 ? UInt8(ascii: " ") : $0 }
        if message.utf8.count > longest {
            // Not in the midst of a character.
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
            bytes += "…".utf8
        }
        let old = pthread_getspecific(key)
        pthread_setspecific(key, copyForC(String(decoding: bytes, as: UTF8.self)))
        free(old)
    }

    static var message: UnsafePointer<CChar>? {
        key.flatMap { pthread_getspecific($0) }.map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
            ?? characters("")
    }
}
