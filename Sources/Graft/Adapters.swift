public import CGraft
import GraftAdapters
import GraftLayers
import GraftTensor

/// An adapter as C programs hold it, with the strings that were handed out.
final class AdapterHandle: Sendable {
    let adapter: Adapter
    let texts = LentTexts()

    init(_ adapter: Adapter) { self.adapter = adapter }
}

extension graft_head_options: OptionStruct {
    static var defaults: Self {
        var options = zero
        options.dropout = -1
        options.pooling = -1
        return options
    }
}

@c @implementation
public func graft_head_options_init(_ options: UnsafeMutablePointer<graft_head_options>?, _ struct_size: Int) {
    graft_head_options.initialize(options, size: struct_size)
}

@c @implementation
public func graft_adapter_method_count() -> Int32 { Int32(methodNames.count) }

@c @implementation
public func graft_adapter_method_name(_ index: Int32) -> UnsafePointer<CChar>? {
    methodNames.indices.contains(Int(index)) ? methodNames[Int(index)].pointer : nil
}

private let methodNames = AdapterMethods.names.map(CText.init)

@c @implementation
public func graft_adapter_create(
    _ model: OpaquePointer?, _ method: UnsafePointer<CChar>?, _ config_json: UnsafePointer<CChar>?, _ seed: UInt64,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        let config = try optionalText(config_json, "config_json")
        let method = try text(method, "method")
        do throws(GraftError) {
            return AdapterHandle(try Adapter(model: model, method: method, config: config, seed: seed))
        } catch  where error.code == .corruptFile {  // these settings are the caller's, not a file's
            throw GraftError(.invalidArgument, error.message)
        }
    }
}

@c @implementation
public func graft_adapter_set_head(
    _ adapter: OpaquePointer?, _ task: graft_task, _ options: UnsafePointer<graft_head_options>?
) -> graft_status {
    call { () throws(GraftError) in
        let adapter = try HandleTable.borrow(adapter, AdapterHandle.self, "adapter").adapter
        let task = try choice(task, Task.self, "task")
        switch task {
        case .none, .languageModel: try adapter.setTask(task)
        case .sequenceClassification:
            try adapter.setHead(try graft_head_options.read(options, "options").checked())
        }
    }
}

extension graft_head_options {
    fileprivate func checked() throws(GraftError) -> HeadSettings {
        guard label_count >= 2, label_count <= 1 << 20 else {
            throw GraftError(.invalidArgument, "label_count must be 2 to 1048576, found \(label_count)")
        }
        guard dropout == -1 || (dropout >= 0 && dropout < 1) else {
            throw GraftError(.invalidArgument, "dropout must be -1, or at least 0 and below 1, found \(dropout)")
        }
        var names: [String] = []
        var known: Set<[UInt8]> = []
        for (index, label) in try array(labels, count: Int(label_count), "labels").enumerated() {
            try Memory.check()
            let name = try text(label, "labels[\(index)]")
            guard !name.isEmpty, known.insert(Array(name.utf8)).inserted else {
                throw GraftError(.invalidArgument, "labels[\(index)] \"\(name)\" is empty or there twice")
            }
            names.append(name)
        }
        return HeadSettings(
            labels: names, dropout: dropout == -1 ? nil : dropout, trainsDense: try flag(dense_layer, "dense_layer"),
            pooling: pooling == graft_pooling(GRAFT_POOLING_DEFAULT) ? nil : try headPooling())
    }

    private func headPooling() throws(GraftError) -> Pooling {
        let chosen = try choice(pooling, Pooling.self, "pooling")
        guard Pooling.ofHeads.contains(chosen) else {
            throw GraftError(
                .invalidArgument,
                "pooling is \(pooling); a head reads the mean of the tokens (0), the first (1) or the last (2)")
        }
        return chosen
    }
}

@c @implementation
public func graft_adapter_load(
    _ model: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        return AdapterHandle(try Adapter(model: model, path: try text(path, "path")))
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
        try adapter.save(to: try text(path, "path"))
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
public func graft_adapter_task(_ adapter: OpaquePointer?) -> graft_task {
    HandleTable.peek(adapter, AdapterHandle.self)?.adapter.content.task.rawValue ?? -1
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
