import GraftFormats
import GraftLayers
import GraftTensor

/// A way of adapting a model: its settings, and what it does at which sites. A new one is its file and one line below.
package protocol AdapterMethod: Sendable {
    /// As in `graft_adapter_create`.
    static var name: String { get }
    /// As in `peft_type` of adapter_config.json.
    static var peftType: String { get }
    /// Every setting with its default, in PEFT's spelling.
    static var defaults: [(key: String, value: JSON)] { get }

    /// Checks every setting; `place` begins the messages.
    init(settings: JSONObject, use: SettingsUse, place: String) throws(GraftError)
    /// Adds its tensors and actions.
    func plan(_ plan: inout AdapterPlan, names: ModuleNames, use: SettingsUse) throws(GraftError)
}

/// Whether settings come from a caller, who is told of every mistake, or from a file that others wrote.
package enum SettingsUse: Sendable {
    case create, load
}

package enum AdapterMethods {
    private static let all: [any AdapterMethod.Type] = [
        Lora.self
    ]

    package static var names: [String] { all.map { $0.name } }

    static func named(_ name: String) throws(GraftError) -> any AdapterMethod.Type {
        guard let method = all.first(where: { $0.name == name }) else {
            throw GraftError(
                .notFound, "adapter method \"\(name)\"; this build has \(names.joined(separator: ", "))")
        }
        return method
    }

    static func peftType(_ type: String, place: String) throws(GraftError) -> any AdapterMethod.Type {
        guard let method = all.first(where: { $0.peftType == type }) else {
            throw GraftError(
                .unsupported,
                "\(place): peft_type \"\(type)\" is not done by this build, which has "
                    + all.map { $0.peftType }.joined(separator: ", "))
        }
        return method
    }
}
