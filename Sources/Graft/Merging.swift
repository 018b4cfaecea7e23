public import CGraft
import GraftAdapters
import GraftFormats
import GraftInference
import GraftLayers
import GraftModels
import GraftTensor
import GraftTokenizers

@c @implementation
public func graft_model_merge(
    _ model: OpaquePointer?, _ adapters: OpaquePointer?, _ path: UnsafePointer<CChar>?
) -> graft_status {
    call { () throws(GraftError) in
        let (model, merged, composition) = try merge(model, adapters)
        let sentences =
            composition.task == .sentenceEmbedding
            ? try SentenceFolder.files(
                missingIn: merged.path, hiddenSize: model.shape.hiddenSize, maximumLength: composition.maximumLength)
            : []
        try ModelFolderWriter(merged).write(to: try text(path, "path"), with: sentences)
    }
}

@c @implementation
public func graft_model_write_gguf(
    _ model: OpaquePointer?, _ adapters: OpaquePointer?, _ type: UnsafePointer<CChar>?,
    _ path: UnsafePointer<CChar>?
) -> graft_status {
    call { () throws(GraftError) in
        let type = try optionalText(type, "type").map { name throws(GraftError) in try GGUFWriter.type(named: name) }
        let path = try text(path, "path")
        let handle = try HandleTable.borrow(model, ModelHandle.self, "model")
        let source: any TensorSource = adapters == nil ? handle.source : try merge(model, adapters).1
        let writer = try Architectures.ggufWriter(source, model: handle.model, type: type) {
            (size, endTokens) throws(GraftError) in
            try Tokenizer.ggufMetadata(
                InputFolder(path: source.path), vocabularySize: size, endTokens: endTokens)
        }
        try writer.write(to: path)
    }
}

@c @implementation
public func graft_model_load_merged(
    _ model: OpaquePointer?, _ adapters: OpaquePointer?, _ options: UnsafePointer<graft_model_options>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let given = try graft_model_options.read(options, "options")
        let (model, merged, _) = try merge(model, adapters)
        let precision =
            options == nil ? model.source.precision : try choice(given.precision, Precision.self, "precision")
        return ModelHandle(
            try Architectures.load(merged, precision: precision, threadCount: Int(given.thread_count)), merged)
    }
}

/// The checkpoint that a model was loaded from with what adapters make of it.
private func merge(
    _ model: OpaquePointer?, _ adapters: OpaquePointer?
) throws(GraftError) -> (Model, TensorView, Composition) {
    let handle = try HandleTable.borrow(model, ModelHandle.self, "model")
    let composition = try HandleTable.borrow(adapters, CompositionHandle.self, "adapters").composition
    guard composition.model === handle.model else {
        throw GraftError(.incompatible, "the adapters were made for another model than the one they are merged into")
    }
    let merged = try MergedModel.view(of: handle.source, model: handle.model, try composition.weightDelta())
    return (handle.model, merged, composition)
}

@c @implementation
public func graft_adapter_compress(
    _ adapter: OpaquePointer?, _ rank: Int32, _ on_module: graft_compression_callback?,
    _ user_data: UnsafeMutableRawPointer?, _ out: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<Double>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let adapter = try HandleTable.borrow(adapter, AdapterHandle.self, "adapter").adapter
        let rank = try count(Int64(rank), "rank", from: 1, atMost: 1 << 16)
        let small = try adapter.compressed(rank: rank) { module, error throws(GraftError) in
            guard let on_module else { return }
            guard module.withCString({ name in callBack { on_module(user_data, name, error) } }) == 0 else {
                throw GraftError(.cancelled, "the callback stopped the compression after \(module)")
            }
        }
        error?.pointee = small.error
        return AdapterHandle(small.adapter)
    }
}
