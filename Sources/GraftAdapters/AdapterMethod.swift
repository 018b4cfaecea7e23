import GraftFormats
import GraftLayers
import GraftTensor

/// A way of adapting a model: its settings, and what it does at which sites. A new one is its file
/// and one line below.
package protocol AdapterMethod: Sendable {
    /// As in `graft_adapter_create`.
    static var name: String { get }
    /// How its adapters are kept.
    static var layout: any AdapterLayout.Type { get }
    /// What the layout's configuration calls it: PEFT's `peft_type`, or AdapterHub's
    /// `architecture`.
    static var typeName: String? { get }
    /// The settings of an adapter that was read from a file which says `settings`.
    static func settings(ofFile settings: JSONObject) -> JSONObject
    /// Tensors of its files that belong to no module.
    static var ownTensors: [String] { get }
    /// What stands before the names of modules in its files.
    static var moduleStart: String { get }
    /// The layout's name for no task.
    static var withoutTask: String? { get }
    /// Whether it can act by any part, or only in full or not at all.
    static var hasScale: Bool { get }
    /// Whether it acts on models that read rows with an encoder and write others.
    static var fitsSources: Bool { get }
    /// Whether it acts on some of these models: its `plan` refuses the others.
    static var fitsSomeSources: Bool { get }
    /// Settings that change nothing of what a trained adapter computes or goes on to learn.
    static var withoutEffect: Set<String> { get }
    /// Every setting in the layout's spelling: as given, or its default for a fresh adapter of the
    /// model.
    static func settings(
        completing given: JSONObject, for model: Model, place: String
    ) throws(GraftError) -> JSONObject

    /// Checks every setting; `place` begins the messages.
    init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError)
    /// Adds its tensors and actions.
    func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError)
    /// Adds what does not learn, after all that does.
    func planFrozen(_ plan: inout AdapterPlan, names: ModuleNames) throws(GraftError)
    /// The settings of a file with the adapter's tensors and what follows them there.
    static func saved(_ settings: JSONObject) -> JSONObject
    /// The settings of a file that say which ranks of its modules it has; only asked where the plan
    /// has `prunedRanks`.
    static func noted(_ ranks: [(name: String, kept: [Bool])]) -> JSONObject
}

/// A method that acts at sites, all of whose tensors learn, and are saved as they are.
extension AdapterMethod {
    package func planFrozen(_ plan: inout AdapterPlan, names: ModuleNames) {}
    package static func saved(_ settings: JSONObject) -> JSONObject { settings }
    package static func noted(_ ranks: [(name: String, kept: [Bool])]) -> JSONObject { JSONObject() }
    package static func settings(ofFile settings: JSONObject) -> JSONObject { settings }
    package static var ownTensors: [String] { [] }
    package static var moduleStart: String { "base_model.model." }
    package static var withoutTask: String? { nil }
    package static var hasScale: Bool { true }
    package static var fitsSources: Bool { true }
    package static var fitsSomeSources: Bool { fitsSources }
}

/// Whether settings come from a caller, who is told of every mistake, from a file that others
/// wrote, or from an adapter whose numbers are taken over.
package enum SettingsUse: Sendable {
    case create, load, change
}

package enum AdapterMethods {
    private static let all: [any AdapterMethod.Type] = [
        Lora.self, Bottleneck.self, PrefixTuning.self, PromptTuning.self, IA3.self, AdaLora.self,
    ]

    package static var names: [String] { all.map { $0.name } }

    /// Whether a method acts on models that read rows with an encoder and write others.
    package static func fitSources(_ name: String) -> Bool { all.contains { $0.name == name && $0.fitsSources } }

    static func named(_ name: String) throws(GraftError) -> any AdapterMethod.Type {
        guard let method = all.first(where: { $0.name == name }) else {
            throw GraftError(
                .notFound, "adapter method \"\(name)\"; this build has \(names.joined(separator: ", "))")
        }
        return method
    }

    /// The method that a layout's configuration calls `typeName` under `key`.
    static func of(
        _ layout: any AdapterLayout.Type, typeName: String?, key: String, place: String
    ) throws(GraftError) -> any AdapterMethod.Type {
        let known = all.filter { $0.layout == layout }
        guard let method = known.first(where: { $0.typeName == typeName }) else {
            throw GraftError(
                .unsupported,
                "\(place): \(key) \(spelling(typeName)) is not done by this build, which has "
                    + known.map { spelling($0.typeName) }.joined(separator: ", "))
        }
        return method
    }

    private static func spelling(_ typeName: String?) -> String { typeName.map { "\"\($0)\"" } ?? "null" }
}
