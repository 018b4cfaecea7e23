import GraftFormats
import GraftTensor

/// `trainer.safetensors` as it is read: the state in its metadata, and its tensors by name.
struct CheckpointFile {
    let state: JSONObject
    private let file: SafetensorsFile

    var path: String { file.path }

    /// Refuses the files of other versions.
    init(path: String) throws(GraftError) {
        file = try SafetensorsFile(path: path, copies: true)
        guard let text = file.metadata[Checkpoint.stateKey] else {
            throw GraftError(.corruptFile, "\(path): no \"\(Checkpoint.stateKey)\" in its metadata")
        }
        let place = "\(path): \(Checkpoint.stateKey)"
        state = try JSON(parsing: text, source: place).requireObject(in: place)
        let version = try state.int("version")
        guard version == Checkpoint.version else {
            throw GraftError(
                .unsupported, "\(path): version \(version); this build reads \(Checkpoint.version)")
        }
    }

    /// Checks that a trainer with these settings wrote it.
    ///
    /// - Parameter unrecorded: what holds where the file says nothing.
    func requireSettings(_ expected: JSONObject, unrecorded: JSONObject) throws(GraftError) {
        guard let difference = Self.difference(try state.object("settings"), expected, unrecorded) else { return }
        throw GraftError(.incompatible, "\(path) was written with \(difference)")
    }

    /// The first difference, by name.
    private static func difference(
        _ found: JSONObject, _ expected: JSONObject, _ unrecorded: JSONObject, in prefix: String = ""
    ) -> String? {
        for (key, ours) in expected {
            let theirs = found[key] ?? unrecorded[key]
            if case .object(let ours) = ours, case .object(let theirs)? = theirs {
                let inner = unrecorded[key]?.objectValue ?? JSONObject()
                if let difference = difference(theirs, ours, inner, in: "\(prefix)\(key).") { return difference }
            } else if theirs != ours {
                return "\(prefix)\(key) \(theirs.map(text) ?? "unknown"); this trainer has \(text(ours))"
            }
        }
        return nil
    }

    /// A value for a message, cut where it is long.
    private static func text(_ value: JSON) -> String {
        if case .string(let text) = value { return text }
        let text = value.serialized()
        return text.utf8.count <= 200 ? text : String(text.unicodeScalars.prefix(200)) + "…"
    }

    func tensor(_ name: String, count: Int) throws(GraftError) -> StoredTensor {
        guard let tensor = file[name], tensor.elementType == .float32, tensor.shape == [count] else {
            throw GraftError(
                .corruptFile,
                "\(path): expected tensor \"\(name)\" of F32 and shape [\(count)], found "
                    + (file[name].map { "\($0.elementType.rawValue) \($0.shape)" } ?? "none"))
        }
        return tensor
    }

    /// Refuses numbers that no training leaves.
    func requireFinite() throws(GraftError) {
        for tensor in file.tensors where tensor.elementType == .float32 {
            let found = tensor.withBytes { bytes -> (index: Int, value: Float)? in
                for index in 0..<tensor.elementCount {
                    let value = bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
                    if !value.isFinite { return (index, value) }
                }
                return nil
            }
            guard let found else { continue }
            throw GraftError(
                .corruptFile,
                "\(path): tensor \"\(tensor.name)\" has \(found.value) at \(found.index); expected finite numbers")
        }
    }
}

extension JSONObject {
    /// A count, which training keeps far below this.
    func reachable(_ key: String) throws(GraftError) -> Int {
        let value = try int(key)
        guard value >= 0, value < 1 << 48 else { throw unexpected(key, expected: "a count that training reaches") }
        return value
    }

    /// NaN where JSON has null.
    func measure(_ key: String) throws(GraftError) -> Double { try optionalDouble(key) ?? .nan }
}
