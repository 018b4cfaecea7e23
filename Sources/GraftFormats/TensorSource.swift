import CGraftKernels
import GraftTensor

/// Where a model comes from: settings, and tensors under the names of a checkpoint.
package protocol TensorSource: AnyObject, Sendable {
    /// The folder on the disk, whose other files are the model's, too.
    var path: String { get }
    /// `config.json`, an object.
    var config: JSON { get }
    /// Names of all tensors, in the order of the files and of their bytes.
    var tensorNames: [String] { get }
    /// What is known of a tensor before it is read.
    func entry(_ name: String) -> TensorEntry?
    /// A tensor's numbers, in the type of its entry or in float32.
    func read(_ entry: TensorEntry) throws(GraftError) -> StoredTensor
    /// The same for a kernel: as they are stored, in blocks where the file has blocks.
    func rows(_ entry: TensorEntry) throws(GraftError) -> TensorRows
    /// What messages call a tensor's file.
    func path(of entry: TensorEntry) -> String
    /// The GGUF file that this is read from; nil where it is a folder.
    var gguf: GGUFFile? { get }
}

/// A tensor of a model: its type as a checkpoint has it, its shape, its place.
package struct TensorEntry: Sendable {
    package let name: String
    package let elementType: ElementType
    package let shape: [Int]
    /// The file of the folder that holds it.
    package let file: String

    package init(name: String, elementType: ElementType, shape: [Int], file: String) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.file = file
    }
}

extension TensorSource {
    package var gguf: GGUFFile? { nil }

    package func path(of entry: TensorEntry) -> String { path + "/" + entry.file }

    package func rows(_ entry: TensorEntry) throws(GraftError) -> TensorRows {
        try TensorRows(try read(entry), path: path)
    }

    /// The tensor of that name and shape, or an error that says what there is instead.
    package func requireEntry(_ name: String, shape: [Int]) throws(GraftError) -> TensorEntry {
        guard let entry = entry(name) else {
            throw GraftError(.notFound, "\(path): the tensor \(JSON.string(name).shortText) \(shape) is missing")
        }
        guard entry.shape == shape else {
            throw GraftError(
                .incompatible,
                "\(path(of: entry)): tensor \(JSON.string(name).shortText): expected shape \(shape), found \(entry.shape)"
            )
        }
        return entry
    }

    /// Its numbers, for a kernel.
    package func requireRows(_ name: String, shape: [Int]) throws(GraftError) -> TensorRows {
        try rows(try requireEntry(name, shape: shape))
    }

    /// Whether there are both tensors, with the same type, shape and bytes.
    package func holdsTheSame(_ name: String, as other: String) throws(GraftError) -> Bool {
        guard let first = entry(name), let second = entry(other), first.elementType == second.elementType,
            first.shape == second.shape
        else { return false }
        return try read(first).holdsTheSame(as: read(second))
    }

    /// Whether a tensor's name begins so.
    package func hasTensors(below prefix: String) -> Bool { tensorNames.contains { $0.hasPrefix(prefix) } }
}
