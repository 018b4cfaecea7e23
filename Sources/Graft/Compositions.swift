public import CGraft
import GraftAdapters
import GraftInference
import GraftTensor

/// A composition as C programs hold it, with its adapter and the strings that were handed out.
final class CompositionHandle: @unchecked Sendable {
    let composition: Composition
    let adapter: AdapterHandle
    /// The handle that the adapter had.
    let adapterHandle: OpaquePointer?
    let texts = LentTexts()

    init(_ adapterHandle: OpaquePointer?, scale: Float) throws(GraftError) {
        self.adapterHandle = adapterHandle
        adapter = try HandleTable.borrow(adapterHandle, AdapterHandle.self, "adapter")
        composition = try Composition(adapter: adapter.adapter, scale: scale)
    }
}

@c @implementation
public func graft_composition_create(
    _ adapter: OpaquePointer?, _ scale: Float, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in try CompositionHandle(adapter, scale: scale) }
}

@c @implementation
public func graft_composition_retain(_ composition: OpaquePointer?) -> graft_status {
    retain(composition, CompositionHandle.self, "composition")
}

@c @implementation
public func graft_composition_release(_ composition: OpaquePointer?) {
    HandleTable.release(composition, CompositionHandle.self)
}

@c @implementation
public func graft_composition_adapter(
    _ composition: OpaquePointer?, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    call { () throws(GraftError) in
        let out = try place(out)
        let composition = try HandleTable.borrow(composition, CompositionHandle.self, "composition")
        do throws(GraftError) {
            try HandleTable.retain(composition.adapterHandle, AdapterHandle.self, "adapter")
            out.pointee = composition.adapterHandle
        } catch {  // all owners of that handle have released it
            out.pointee = try HandleTable.insert(composition.adapter)
        }
    }
}

@c @implementation
public func graft_composition_scale(_ composition: OpaquePointer?) -> Float {
    HandleTable.peek(composition, CompositionHandle.self)?.composition.scale ?? .nan
}

@c @implementation
public func graft_composition_label_count(_ composition: OpaquePointer?) -> Int32 {
    HandleTable.peek(composition, CompositionHandle.self).map { Int32(clamping: $0.composition.labels.count) } ?? -1
}

@c @implementation
public func graft_composition_task(_ composition: OpaquePointer?) -> UnsafePointer<CChar>? {
    HandleTable.peek(composition, CompositionHandle.self).flatMap { handle in
        handle.texts.lend(handle.composition.task?.name ?? "")
    }
}

@c @implementation
public func graft_composition_label(_ composition: OpaquePointer?, _ index: Int32) -> UnsafePointer<CChar>? {
    HandleTable.peek(composition, CompositionHandle.self).flatMap { handle in
        let labels = handle.composition.labels
        return labels.indices.contains(Int(index)) ? handle.texts.lend(labels[Int(index)]) : nil
    }
}
