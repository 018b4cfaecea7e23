public import CGraft
import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor

/// An adapter as C programs hold it, with the strings that were handed out.
final class AdapterHandle: Sendable {
    let adapter: Adapter
    let texts = LentTexts()

    init(_ adapter: Adapter) { self.adapter = adapter }
}

@c @implementation
public func graft_adapter_method_count() -> Int32 { methodNames.count }

@c @implementation
public func graft_adapter_method_name(_ index: Int32) -> UnsafePointer<CChar>? {
    methodNames[index]
}

private let methodNames = LentNames(AdapterMethods.names)

@c @implementation
public func graft_task_count() -> Int32 { taskNames.count }

@c @implementation
public func graft_task_name(_ index: Int32) -> UnsafePointer<CChar>? {
    taskNames[index]
}

private let taskNames = LentNames(Tasks.names)

@c @implementation
public func graft_adapter_create(
    _ model: OpaquePointer?, _ method: UnsafePointer<CChar>?, _ config_json: UnsafePointer<CChar>?, _ seed: UInt64,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        let config = try optionalText(config_json, "config_json")
        let method = try text(method, "method")
        return try ofCaller { () throws(GraftError) in
            AdapterHandle(try Adapter(model: model, method: method, config: config, seed: seed))
        }
    }
}

@c @implementation
public func graft_adapter_set_head(
    _ adapter: OpaquePointer?, _ task: UnsafePointer<CChar>?, _ labels: UnsafePointer<UnsafePointer<CChar>?>?,
    _ label_count: Int32, _ settings_json: UnsafePointer<CChar>?
) -> graft_status {
    call { () throws(GraftError) in
        let adapter = try HandleTable.borrow(adapter, AdapterHandle.self, "adapter").adapter
        let name = try text(task, "task")
        let task = name.isEmpty ? nil : try Tasks.named(name)
        guard let task, task.hasOwnHead else {
            guard label_count == 0, settings_json == nil else {
                throw GraftError(
                    .invalidArgument,
                    "label_count is \(label_count) and settings_json is \(settings_json == nil ? "NULL" : "set"): the task "
                        + "\"\(name)\" has no head of the adapter's own; expected 0 and NULL")
            }
            return try adapter.set(task)
        }
        if let names = task.outputNames {
            guard labels == nil, label_count == 0 || Int(label_count) == names.count else {
                throw GraftError(
                    .invalidArgument,
                    "the head of \(name) always has \(names.joined(separator: " and ")): expected labels NULL and "
                        + "label_count 0 or \(names.count), found \(labels == nil ? "NULL" : "labels") and \(label_count)"
                )
            }
            let settings = try optionalText(settings_json, "settings_json")
            return try adapter.set(
                task, HeadSettings(labels: names, ownsLabels: false, json: settings, place: "settings_json"))
        }
        let names = try labelNames(labels, count: label_count, of: task)
        let settings = try optionalText(settings_json, "settings_json")
        try adapter.set(
            task,
            HeadSettings(
                labels: names ?? numberedLabels(Int(label_count)), ownsLabels: names != nil, json: settings,
                place: "settings_json"))
    }
}

/// Names of a head's labels; nil where they need none.
private func labelNames(
    _ labels: UnsafePointer<UnsafePointer<CChar>?>?, count: Int32, of task: Task
) throws(GraftError) -> [String]? {
    guard count >= task.leastLabelCount, count <= 1 << 20 else {
        throw GraftError(
            .invalidArgument, "label_count must be \(task.leastLabelCount) to 1048576 for \(task.name), found \(count)")
    }
    if labels == nil, task.outputs == .values { return nil }
    let names = try texts(labels, count: Int(count), "labels")
    var known: Set<[UInt8]> = []
    for (index, name) in names.enumerated() {
        guard !name.isEmpty, known.insert(Array(name.utf8)).inserted else {
            throw GraftError(.invalidArgument, "labels[\(index)] \"\(name)\" is empty or there twice")
        }
    }
    return names
}

@c @implementation
public func graft_adapter_load(
    _ model: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        let path = try text(path, "path")
        guard GGUFFile.isOne(path) else { return AdapterHandle(try Adapter(model: model, path: path)) }
        return AdapterHandle(
            try Adapter.load(try GGUFFile(path: path), model: model, names: Architectures.ggufNames(model.conventions)))
    }
}

@c @implementation
public func graft_adapter_load_files(
    _ model: OpaquePointer?, _ files: UnsafePointer<graft_file>?, _ file_count: Int32,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        return AdapterHandle(try Adapter(model: model, try folder(files, count: file_count)))
    }
}

@c @implementation
public func graft_adapter_save_files(
    _ adapter: OpaquePointer?, _ on_file: graft_file_callback?, _ user_data: UnsafeMutableRawPointer?
) -> graft_status {
    call { () throws(GraftError) in
        let adapter = try HandleTable.borrow(adapter, AdapterHandle.self, "adapter").adapter
        try hand(try adapter.files(), to: on_file, user_data)
    }
}

@c @implementation
public func graft_adapter_save(_ adapter: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> graft_status {
    call { () throws(GraftError) in
        let adapter = try HandleTable.borrow(adapter, AdapterHandle.self, "adapter").adapter
        let path = try text(path, "path")
        guard path.lowercased().hasSuffix(".gguf"), FileKind.of(path) != .folder else {
            return try adapter.save(to: path)
        }
        try adapter.saveGGUF(to: path) { Architectures.ggufNames($0.conventions) }
    }
}

@c @implementation
public func graft_adapter_retain(_ adapter: OpaquePointer?) -> graft_status {
    retain(adapter, AdapterHandle.self, "adapter")
}

@c @implementation
public func graft_adapter_release(_ adapter: OpaquePointer?) { HandleTable.release(adapter, AdapterHandle.self) }

@c @implementation
public func graft_adapter_method(_ adapter: OpaquePointer?) -> UnsafePointer<CChar>? {
    HandleTable.peek(adapter, AdapterHandle.self).flatMap { $0.texts.lend($0.adapter.content.method.name) }
}

@c @implementation
public func graft_adapter_config_json(_ adapter: OpaquePointer?) -> UnsafePointer<CChar>? {
    HandleTable.peek(adapter, AdapterHandle.self).flatMap { $0.texts.lend($0.adapter.content.configText) }
}

@c @implementation
public func graft_adapter_task(_ adapter: OpaquePointer?) -> UnsafePointer<CChar>? {
    HandleTable.peek(adapter, AdapterHandle.self).flatMap { $0.texts.lend($0.adapter.content.task?.name ?? "") }
}

@c @implementation
public func graft_adapter_label_count(_ adapter: OpaquePointer?) -> Int32 {
    HandleTable.peek(adapter, AdapterHandle.self).map { Int32(clamping: $0.adapter.content.labels.count) } ?? -1
}

@c @implementation
public func graft_adapter_label(_ adapter: OpaquePointer?, _ index: Int32) -> UnsafePointer<CChar>? {
    HandleTable.peek(adapter, AdapterHandle.self).flatMap { handle in
        let labels = handle.adapter.content.labels
        return labels.indices.contains(Int(index)) ? handle.texts.lend(labels[Int(index)]) : nil
    }
}

@c @implementation
public func graft_adapter_memory(_ adapter: OpaquePointer?) -> Int64 {
    HandleTable.peek(adapter, AdapterHandle.self).map { Int64($0.adapter.content.residentByteCount) } ?? -1
}

@c @implementation
public func graft_adapter_parameter_count(_ adapter: OpaquePointer?) -> Int64 {
    HandleTable.peek(adapter, AdapterHandle.self).map { Int64($0.adapter.content.parameterCount) } ?? -1
}

@c @implementation
public func graft_adapter_maximum_length(_ adapter: OpaquePointer?) -> Int32 {
    HandleTable.peek(adapter, AdapterHandle.self).map { Int32(clamping: $0.adapter.content.maximumLength ?? 0) } ?? -1
}
