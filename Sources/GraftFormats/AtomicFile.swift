import Glibc
import GraftTensor

/// Writes a file so that its name leads, at every instant, to the old file or the new one, whole.
///
/// It keeps the old file's permissions and owner. The bytes go to a hidden sibling,
/// `.graft-unfinished-…`, which takes the name once they are on the disk. A failure removes the
/// sibling; a process that is killed leaves it.
package enum AtomicFile {
    package static func write(_ bytes: [UInt8], to path: String) throws(GraftError) {
        try write(to: path) { output throws(GraftError) in try output.write(bytes) }
    }

    package static func write(_ text: String, to path: String) throws(GraftError) {
        try write(Array(text.utf8), to: path)
    }

    package static func write(
        to path: String, _ body: (OutputFile) throws(GraftError) -> Void
    ) throws(GraftError) {
        let destination = try FileSystem.destination(of: path)
        let kind = FileKind.of(destination)
        guard kind == .nothing || kind == .file else {
            throw GraftError(.io, "\(path): cannot write a file where \(kind.rawValue) is")
        }
        let temporary = FileSystem.temporarySibling(of: destination)
        do throws(GraftError) {
            let output = try OutputFile(creating: temporary, toBecome: path, replacing: destination)
            try body(output)
            try output.finish()
            try FileSystem.rename(temporary, to: destination)
        } catch {
            unlink(temporary)
            throw error
        }
        try FileSystem.synchronize(folder: FileSystem.split(destination).folder)
    }
}
