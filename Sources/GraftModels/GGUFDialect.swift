import GraftFormats
import GraftLayers
import GraftTensor

/// How llama.cpp's files have an architecture: what they call its settings and tensors, and which
/// of its weights lie there otherwise than in a checkpoint.
struct GGUFDialect: Sendable {
    typealias Module = GGUFNames.Module
    typealias Form = GGUFNames.Form

    /// `general.architecture`; nil where it is `model_type`.
    var name: String?
    /// What the class of such checkpoints begins with, where not as others do, and ends with.
    var className: String?
    var classSuffix = "ForCausalLM"
    let modules: [Module]
    /// Modules of a checkpoint that a file has under other names than `modules` say, or several of
    /// them in one, the rows of each behind those of the one before.
    var writtenModules: [Module] = []
    /// Tensors that say what is in the settings.
    var readBySettings: Set<String> = []
    /// Settings that no other architecture has, and that are refused elsewhere.
    var reads: Set<String> = []
    /// Tensors of a checkpoint that a file does not have, by parts of their names that follow one
    /// another.
    var leavesOut: [String] = []
    /// `config.json` but for what all architectures have.
    let settings: @Sendable (GGUFSettings) throws(GraftError) -> JSONObject
    /// What a file says in place of a folder's `config.json`; nil where files are read and none is
    /// written.
    var keys: (@Sendable (inout GGUFKeys, any TensorSource) throws(GraftError) -> Void)?

    func names(_ conventions: Conventions, ofWritten: Bool = false) -> GGUFNames {
        GGUFNames(
            architecture: name ?? conventions.architecture, backbone: conventions.backbone,
            modules: ofWritten ? writtenModules + modules : modules)
    }

    /// The checkpoint in a file whose `general.architecture` is this one's.
    func source(_ file: GGUFFile, architecture conventions: Conventions) throws(GraftError) -> GGUFSource {
        let names = names(conventions)
        let architecture = names.architecture
        let settings = GGUFSettings(file, architecture: architecture)
        try settings.refuseOthers(except: reads)
        var config = try self.settings(settings)
        config["model_type"] = .string(conventions.architecture)
        config["architectures"] = [.string((className ?? conventions.className) + classSuffix)]
        try settings.addTokens(to: &config)
        var tensors: [(name: String, stored: GGUFHeader.Entry, form: GGUFSource.Form)] = []
        for entry in file.header.entries where !readBySettings.contains(entry.name) {
            guard let (name, form) = names.name(of: entry.name) else {
                throw GraftError(
                    .unsupported,
                    "\(file.path): the tensor \(JSON.string(entry.name).shortText) is none that this build knows of a "
                        + "\(architecture) model")
            }
            let counts = (try settings.headCount(), try settings.keyValueHeadCount())
            tensors.append((name, entry, form.of(headCount: counts.0, keyHeadCount: counts.1)))
        }
        return try GGUFSource(file, config: .object(config), tensors: tensors)
    }
}
