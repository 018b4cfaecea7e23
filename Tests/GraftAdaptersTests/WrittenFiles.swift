import GraftAdapters
import GraftFormats
import GraftTensor
import GraftTestSupport

extension AdapterContent {
    /// The bytes of the files that are written anew from the numbers, by their names.
    func writtenFiles() throws -> [String: [UInt8]] {
        let folder = try Goldens.temporaryFolder() + "/written"
        let files = try files()
        try AtomicDirectory.write(to: folder) { output throws(GraftError) in
            try files.write(to: &output, values: values)
        }
        var written: [String: [UInt8]] = [:]
        for name in AdapterLayouts.fileNames where FileKind.of(folder + "/" + name) == .file {
            written[name] = try MappedFile.contents(of: folder + "/" + name)
        }
        return written
    }
}
