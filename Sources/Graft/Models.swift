public import CGraft
import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor

/// A model as C programs hold it, with its names as C strings.
final class ModelHandle: Sendable {
    let model: Model
    /// What it was loaded from.
    let source: any TensorSource
    let architecture: CText
    let labels: [CText]
    /// Of the checkpoint's own head; "" without one.
    let task: CText
    /// Names and texts.
    let prompts: [(name: CText, text: CText)]

    init(_ model: Model, _ source: any TensorSource) {
        self.model = model
        self.source = source
        architecture = CText(model.architecture)
        labels = model.baseHead?.labels.map(CText.init) ?? []
        task = CText(model.ownTask?.name ?? "")
        prompts = ((try? model.source.sentences.prompts.get())?.named ?? []).map { (CText($0.name), CText($0.text)) }
    }
}

extension graft_model_options: OptionStruct {
    static var defaults: Self { zero }
}

@c @implementation
public func graft_model_options_init(_ options: UnsafeMutablePointer<graft_model_options>?, _ struct_size: Int) {
    graft_model_options.initialize(options, size: struct_size)
}

@c @implementation
public func graft_model_load(
    _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<graft_model_options>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let options = try graft_model_options.read(options, "options")
        let precision = try choice(options.precision, Precision.self, "precision")
        let source = try Architectures.source(path: try text(path, "path"))
        return ModelHandle(
            try Architectures.load(source, precision: precision, threadCount: Int(options.thread_count)), source)
    }
}

@c @implementation
public func graft_model_retain(_ model: OpaquePointer?) -> graft_status {
    retain(model, ModelHandle.self, "model")
}

@c @implementation
public func graft_model_release(_ model: OpaquePointer?) { HandleTable.release(model, ModelHandle.self) }

@c @implementation
public func graft_architecture_count() -> Int32 { architectureNames.count }

@c @implementation
public func graft_architecture_name(_ index: Int32) -> UnsafePointer<CChar>? {
    architectureNames[index]
}

private let architectureNames = LentNames(Architectures.names)

@c @implementation
public func graft_model_architecture(_ model: OpaquePointer?) -> UnsafePointer<CChar>? {
    HandleTable.peek(model, ModelHandle.self)?.architecture.pointer
}

@c @implementation
public func graft_model_layer_count(_ model: OpaquePointer?) -> Int32 { shape(model, \.readingLayerCount) }

@c @implementation
public func graft_model_hidden_size(_ model: OpaquePointer?) -> Int32 { shape(model, \.hiddenSize) }

@c @implementation
public func graft_model_vocabulary_size(_ model: OpaquePointer?) -> Int32 { shape(model, \.vocabularySize) }

@c @implementation
public func graft_model_maximum_length(_ model: OpaquePointer?) -> Int32 { shape(model, \.maximumLength) }

private func shape(_ model: OpaquePointer?, _ number: (ModelShape) -> Int) -> Int32 {
    HandleTable.peek(model, ModelHandle.self).map { Int32(clamping: number($0.model.shape)) } ?? -1
}

@c @implementation
public func graft_model_parameter_count(_ model: OpaquePointer?) -> Int64 {
    HandleTable.peek(model, ModelHandle.self).map { Int64($0.model.source.parameterCount) } ?? -1
}

@c @implementation
public func graft_model_end_token(_ model: OpaquePointer?, _ index: Int32) -> Int32 {
    guard let tokens = HandleTable.peek(model, ModelHandle.self)?.model.endTokens,
        tokens.indices.contains(Int(index))
    else { return -1 }
    return tokens[Int(index)]
}

@c @implementation
public func graft_model_label_count(_ model: OpaquePointer?) -> Int32 {
    HandleTable.peek(model, ModelHandle.self).map { Int32(clamping: $0.labels.count) } ?? -1
}

@c @implementation
public func graft_model_label(_ model: OpaquePointer?, _ index: Int32) -> UnsafePointer<CChar>? {
    guard let labels = HandleTable.peek(model, ModelHandle.self)?.labels, labels.indices.contains(Int(index))
    else { return nil }
    return labels[Int(index)].pointer
}

@c @implementation
public func graft_model_task(_ model: OpaquePointer?) -> UnsafePointer<CChar>? {
    HandleTable.peek(model, ModelHandle.self)?.task.pointer
}

@c @implementation
public func graft_model_memory(_ model: OpaquePointer?) -> Int64 {
    HandleTable.peek(model, ModelHandle.self).map { Int64($0.model.memory.own) } ?? -1
}

@c @implementation
public func graft_model_mapped_memory(_ model: OpaquePointer?) -> Int64 {
    HandleTable.peek(model, ModelHandle.self).map { Int64($0.model.memory.mapped) } ?? -1
}

@c @implementation
public func graft_model_embedding_size(_ model: OpaquePointer?) -> Int32 {
    guard let model = HandleTable.peek(model, ModelHandle.self)?.model else { return -1 }
    let width = model.shape.hiddenSize
    return Int32(clamping: (try? model.source.sentences.embedding.get())?.width(hiddenSize: width) ?? width)
}

@c @implementation
public func graft_model_prompt_name(_ model: OpaquePointer?, _ index: Int32) -> UnsafePointer<CChar>? {
    guard let prompts = HandleTable.peek(model, ModelHandle.self)?.prompts, prompts.indices.contains(Int(index)) else {
        return nil
    }
    return prompts[Int(index)].name.pointer
}

@c @implementation
public func graft_model_prompt(
    _ model: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ out: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> graft_status {
    call { () throws(GraftError) in
        let handle = try HandleTable.borrow(model, ModelHandle.self, "model")
        let name = try optionalText(name, "name")
        guard let out else { throw GraftError(.invalidArgument, "out is NULL") }
        let prompts = try handle.model.source.sentences.prompts.get()
        _ = try prompts.text(name)
        let index = prompts.named.firstIndex { $0.name == name ?? prompts.defaultName }
        out.pointee = index.flatMap { handle.prompts[$0].text.pointer } ?? noPrompt.pointer
    }
}

private let noPrompt = CText("")

@c @implementation
public func graft_model_checksum(_ model: OpaquePointer?) -> UInt64 {
    HandleTable.peek(model, ModelHandle.self)?.model.source.checksum ?? 0
}
