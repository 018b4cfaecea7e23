import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor
import Glibc

/// The goldens of `Tests/Goldens` and what tests do with them.
package enum Goldens {
    /// The package's folder, found from this file.
    package static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    package static func path(_ name: String) -> String { "\(root)/Tests/Goldens/\(name)" }

    /// Rows of a JSON file with `input_ids` and perhaps `token_type_ids` and columns, or
    /// `target_ids` and what of them counts.
    package static func rows(_ json: JSON) throws -> RowBatch {
        var rows = RowBatch()
        let types = try json.optionalArray("token_type_ids")
        for (index, row) in try json.array("input_ids").enumerated() {
            rows.append(tokens: numbers(row), types: types.map { numbers($0[index]) })
        }
        for kind in ColumnKind.all {
            guard let values = try json.optionalArray(kind.name) else { continue }
            // One list a row, or in it one a token; where each has one number, that stands alone.
            switch kind.numbers {
            case .integers:
                let numbers = values.flatMap { $0.arrayValue == nil ? [$0] : $0.arrayValue ?? [] }.compactMap {
                    $0.intValue.map(Int32.init)
                }
                rows.set(Column(kind, integers: numbers, width: numbers.count / max(1, rows.count(kind.unit))))
            case .floats:
                let lists = values.map { ($0.arrayValue ?? [$0]).compactMap { $0.doubleValue.map { Float($0) } } }
                rows.set(Column(kind, floats: lists.flatMap { $0 }, width: lists.first?.count ?? 1))
            }
        }
        if let targets = try json.optionalArray("target_ids") {
            var own = RowBatch()
            for row in targets { own.append(tokens: numbers(row), types: nil as [Int32]?) }
            if let labels = try json.optionalArray("target_labels") { own.set(.tokenLabels, labels.flatMap(numbers)) }
            rows.set(targets: own)
        }
        return rows
    }

    package static func numbers(_ json: JSON) -> [Int32] {
        (json.arrayValue ?? []).compactMap { $0.intValue.map(Int32.init) }
    }

    package static func floats(_ tensor: StoredTensor) throws -> [Float] {
        var out = [Float](repeating: 0, count: tensor.elementCount)
        guard let type = tensor.elementType.kernelType, let base = tensor.bytes.baseAddress else { return out }
        gk_to_float32(Int64(out.count), base, type, &out)
        return out
    }

    package static func floats(_ file: SafetensorsFile, _ name: String) throws -> [Float] {
        guard let tensor = file[name] else { throw GraftError(.notFound, "\(file.path) has no tensor \(name)") }
        return try floats(tensor)
    }

    /// Largest difference of two lists; infinite when their lengths differ or a number is not one.
    package static func difference(_ left: [Float], _ right: [Float]) -> Float {
        guard left.count == right.count else { return .infinity }
        var largest: Float = 0
        for (a, b) in zip(left, right) {
            if a == b { continue }
            let difference = abs(a - b)
            guard difference.isFinite else { return .infinity }
            largest = max(largest, difference)
        }
        return largest
    }

    /// A folder of its own for a test, removed when the process ends.
    package static func temporaryFolder() throws -> String {
        guard let parent = temporaryParent else { throw GraftError(.io, "no temporary folder") }
        var template = Array("\(parent)/XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw GraftError(.io, "no temporary folder") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Holds all temporary folders of this process.
    private static let temporaryParent: String? = {
        var template = Array("/tmp/graft-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        atexit { Goldens.temporaryParent.map(Goldens.remove) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        guard let stream = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        closedir(stream)
        for name in names where name != "." && name != ".." { remove(path + "/" + name) }
        rmdir(path)
    }

    /// A copy of a model folder, without dropout, or with other changes to config.json.
    package static func copyOfModel(_ name: String, changing changes: [String: JSON]) throws -> String {
        let source = path(name)
        let folder = try temporaryFolder()
        var config = try JSON(contentsOf: source + "/config.json").requireObject()
        for (key, value) in changes { config[key] = value }
        try AtomicFile.write(JSON.object(config).serialized(indent: 2), to: folder + "/config.json")
        symlink(source + "/model.safetensors", folder + "/model.safetensors")
        return folder
    }

    package static let withoutDropout: [String: JSON] = [
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0, "dropout": 0.0,
        "attention_dropout": 0.0, "seq_classif_dropout": 0.0, "qa_dropout": 0.0,
    ]
}
