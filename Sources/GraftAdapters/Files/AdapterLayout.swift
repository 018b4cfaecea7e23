import GraftFormats
import GraftLayers
import GraftTensor

/// How one ecosystem keeps an adapter: in which files, with which settings, under which names. A
/// value is one adapter's.
package protocol AdapterLayout: Sendable {
    /// Every file that a folder of this layout may hold.
    static var fileNames: [String] { get }
    /// Whether an adapter_config.json is of this layout.
    static func holds(_ config: JSONObject) -> Bool

    /// Of a fresh adapter: `given` over the method's defaults. `place` begins the messages.
    init(method: any AdapterMethod.Type, given: JSONObject, model: Model, place: String) throws(GraftError)
    /// Of a folder that others wrote.
    init(_ folder: inout AdapterFolder, model: Model) throws(GraftError)

    var method: any AdapterMethod.Type { get }
    /// The method's settings.
    var settings: JSONObject { get }
    /// adapter_config.json.
    var config: JSONObject { get }
    /// nil for none.
    var task: Task? { get }
    /// The head's labels, where the adapter has a head.
    var labels: [String]? { get }
    var names: ModuleNames { get }
    /// Whether those whose files these are give the model the token types of a row.
    var readsTypes: Bool { get }

    /// Makes the adapter one for another task, with a new head where that has one; nil is no task.
    mutating func set(_ task: Task?, head: HeadSettings?) throws(GraftError)
    /// Adds what is not the method's own: the head, and modules that are the adapter's in full.
    func planModules(_ plan: inout AdapterPlan, place: String) throws(GraftError)
    /// Adds what is the adapter's but does not learn, after all that does.
    func planFrozen(_ plan: inout AdapterPlan) throws(GraftError)
    /// The folder's files from the adapter's numbers, with settings that follow from these and
    /// metadata of Graft's own.
    func files(
        _ tensors: [SafetensorsWriter.Tensor], noted: JSONObject, metadata: SafetensorsWriter.Metadata
    ) throws(GraftError) -> AdapterFiles
    /// Whether a tensor of the folder that nothing planned, called `name`, only repeats what is
    /// known. One that contradicts it throws.
    func repeats(
        _ name: String, _ stored: StoredTensor, in folder: AdapterFolder, _ plan: AdapterPlan
    ) throws(GraftError) -> Bool
}

extension AdapterLayout {
    var readsTypes: Bool { true }
}

/// A layout whose tensors all learn.
extension AdapterLayout {
    func planFrozen(_ plan: inout AdapterPlan) {}
}

package enum AdapterLayouts {
    private static let all: [any AdapterLayout.Type] = [PeftLayout.self, AdapterHubLayout.self]

    /// Every file that a folder of any layout may hold.
    package static var fileNames: [String] {
        all.reduce(into: []) { names, layout in names += layout.fileNames.filter { !names.contains($0) } }
    }

    static func of(_ folder: AdapterFolder) throws(GraftError) -> any AdapterLayout.Type {
        guard let layout = all.first(where: { $0.holds(folder.config) }) else {
            throw GraftError(
                .corruptFile,
                "\(folder.configPath): expected \"peft_type\" (PEFT) or \"config\" (AdapterHub), found neither")
        }
        return layout
    }
}
