import GraftFormats
import GraftLayers
import GraftTensor

/// How llama.cpp's files have an architecture: what they call its settings and tensors, and which
/// of its weights lie there otherwise than in a checkpoint.
struct GGUFDialect: Sendable {
    /// A module, whose tensors are its weight and bias.
    struct Module: Sendable {
        /// In the file; `*` stands for the number of a layer.
        let stored: String
        /// In a checkpoint.
        let name: String
        var form = Form.plain

        init(_ stored: String, _ name: String, _ form: Form = .plain) {
            self.stored = stored
            self.name = name
            self.form = form
        }
    }

    enum Form: Sendable {
        case plain, transposed
        /// Heads of queries, and of keys, whose turning rows lie together.
        case interleavedQueries, interleavedKeys
        /// A norm's scale, where a checkpoint has by how much it differs from 1.
        case scale
    }

    /// `general.architecture`; nil where it is `model_type`.
    var name: String?
    /// What the class of such checkpoints begins with, where not as others do, and ends with.
    var className: String?
    var classSuffix = "ForCausalLM"
    let modules: [Module]
    /// Tensors that say what is in the settings.
    var readBySettings: Set<String> = []
    /// Settings that no other architecture has, and that are refused elsewhere.
    var reads: Set<String> = []
    /// `config.json` but for what all architectures have.
    let settings: @Sendable (GGUFSettings) throws(GraftError) -> JSONObject

    /// The checkpoint in a file whose `general.architecture` is this one's.
    func source(_ file: GGUFFile, architecture conventions: Conventions) throws(GraftError) -> GGUFSource {
        let architecture = name ?? conventions.architecture
        let settings = GGUFSettings(file, architecture: architecture)
        try settings.refuseOthers(except: reads)
        var config = try self.settings(settings)
        config["model_type"] = .string(conventions.architecture)
        config["architectures"] = [.string((className ?? conventions.className) + classSuffix)]
        try settings.addTokens(to: &config)
        var tensors: [(name: String, stored: GGUFHeader.Entry, form: GGUFSource.Form)] = []
        for entry in file.header.entries where !readBySettings.contains(entry.name) {
            guard let (name, form) = translated(entry.name) else {
                throw GraftError(
                    .unsupported,
                    "\(file.path): the tensor \(JSON.string(entry.name).shortText) is none that this build knows of a "
                        + "\(architecture) model")
            }
            tensors.append((name, entry, try self.form(form, settings)))
        }
        return try GGUFSource(file, config: .object(config), tensors: tensors)
    }

    private func form(_ form: Form, _ settings: GGUFSettings) throws(GraftError) -> GGUFSource.Form {
        switch form {
        case .plain: .plain
        case .transposed: .transposed
        case .scale: .scale
        case .interleavedQueries: .interleaved(headCount: try settings.headCount())
        case .interleavedKeys: .interleaved(headCount: try settings.keyValueHeadCount())
        }
    }

    /// What a checkpoint calls a tensor; nil for one that it does not have.
    private func translated(_ stored: String) -> (name: String, form: Form)? {
        for suffix in [".weight", ".bias"] where stored.hasSuffix(suffix) {
            let parts = stored.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false)
            let layer = parts.count > 1 ? parts[1] : ""
            let isLayers =
                !layer.isEmpty && layer.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            let pattern =
                isLayers ? ([parts[0], "*"] + parts[2...]).joined(separator: ".") : parts.joined(separator: ".")
            guard let module = modules.first(where: { $0.stored == pattern }) else { return nil }
            let name = module.name.split(separator: "*", omittingEmptySubsequences: false).joined(separator: layer)
            return (name + suffix, module.form)
        }
        return nil
    }
}
