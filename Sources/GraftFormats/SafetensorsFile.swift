import GraftTensor

/// A safetensors file, mapped or copied: its tensors are read where they lie.
package final class SafetensorsFile: Sendable {
    package let file: MappedFile
    package let header: SafetensorsHeader

    package convenience init(path: String, copies: Bool = false) throws(GraftError) {
        try self.init(try MappedFile(path: path, copies: copies))
    }

    package init(_ file: MappedFile) throws(GraftError) {
        self.file = file
        try file.refuseStandIn()
        header = try SafetensorsHeader(file.bytes, source: file.path)
    }

    package var path: String { file.path }

    /// `__metadata__`; `header.metadata` has it in the file's order.
    package var metadata: [String: String] {
        Dictionary((header.metadata ?? []).map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// All tensors, in the order of their bytes.
    package var tensors: [StoredTensor] {
        header.entries.map(stored)
    }

    package subscript(name: String) -> StoredTensor? {
        header[name].map(stored)
    }

    private func stored(_ entry: SafetensorsHeader.Entry) -> StoredTensor {
        StoredTensor(
            name: entry.name, elementType: entry.elementType, shape: entry.shape, file: file, range: entry.range)
    }
}
