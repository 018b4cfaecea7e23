import CGraft
import GraftFormats
import GraftTensor

/// Files that a caller holds in memory, as the folder "files".
func folder(_ files: UnsafePointer<graft_file>?, count fileCount: Int32) throws(GraftError) -> InputFolder {
    let files = try array(files, count: try count(Int64(fileCount), "file_count", atMost: 1 << 16), "files")
    var named: [InputFolder.File] = []
    for (index, file) in files.enumerated() {
        let size = try count(file.size, "files[\(index)].size")
        guard file.data != nil || size == 0 else {
            throw GraftError(.invalidArgument, "files[\(index)].data is NULL; expected \(size) bytes")
        }
        named.append(
            (try text(file.name, "files[\(index)].name"), UnsafeRawBufferPointer(start: file.data, count: size)))
    }
    return try InputFolder(named, path: "files")
}

/// Hands files to a caller, one after the other, until one is not taken.
func hand(
    _ files: [(name: String, bytes: [UInt8])], to callback: graft_file_callback?,
    _ userData: UnsafeMutableRawPointer?
) throws(GraftError) {
    guard let callback else {
        throw GraftError(.invalidArgument, "on_file is NULL; expected a function that receives the files")
    }
    for (name, bytes) in files {
        let isTaken = name.withCString { name in
            bytes.withUnsafeBytes { bytes in
                var file = graft_file(name: name, data: bytes.baseAddress, size: Int64(bytes.count))
                return callBack { callback(userData, &file) == 0 }
            }
        }
        guard isTaken else { throw GraftError(.cancelled, "the callback asked to stop at the file \(name)") }
    }
}
