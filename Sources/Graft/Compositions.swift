public import CGraft
import GraftAdapters
import GraftInference
import GraftTensor

/// A composition as C programs hold it, with its adapters and the strings that were handed out.
final class CompositionHandle: @unchecked Sendable {
    /// An adapter, and the handle that it had.
    typealias Member = (adapter: AdapterHandle, handle: OpaquePointer?)

    let composition: Composition
    /// Those of the composition, in its order.
    let members: [Member]
    let texts = LentTexts()

    init(_ composition: Composition, _ members: [Member]) {
        self.composition = composition
        self.members = members
    }

    convenience init(_ handle: OpaquePointer?, scale: Float) throws(GraftError) {
        let adapter = try HandleTable.borrow(handle, AdapterHandle.self, "adapter")
        self.init(try Composition(adapter: adapter.adapter, scale: scale), [(adapter, handle)])
    }

    /// Several as one.
    convenience init(
        _ handles: UnsafePointer<OpaquePointer?>?, count number: Int32,
        _ compose: ([Composition]) throws(GraftError) -> Composition
    ) throws(GraftError) {
        let count = try count(Int64(number), "count", from: 1, atMost: Int64(Composition.mostAdapters))
        var given: [CompositionHandle] = []
        for (index, handle) in try array(handles, count: count, "compositions").enumerated() {
            given.append(try HandleTable.borrow(handle, CompositionHandle.self, "compositions[\(index)]"))
        }
        let composed = try compose(given.map(\.composition))
        // A mean leaves some out.
        let known = given.flatMap(\.members)
        self.init(
            composed,
            composed.adapters.compactMap { own in known.first { $0.adapter.adapter === own } })
    }
}

@c @implementation
public func graft_composition_create(
    _ adapter: OpaquePointer?, _ scale: Float, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in try CompositionHandle(adapter, scale: scale) }
}

@c @implementation
public func graft_composition_stack(
    _ compositions: UnsafePointer<OpaquePointer?>?, _ count: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        try CompositionHandle(compositions, count: count, Composition.stack)
    }
}

@c @implementation
public func graft_composition_average(
    _ compositions: UnsafePointer<OpaquePointer?>?, _ weights: UnsafePointer<Float>?, _ count: Int32,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        try CompositionHandle(compositions, count: count) { members throws(GraftError) in
            try Composition.average(
                members, weights: weights.map { Array(UnsafeBufferPointer(start: $0, count: members.count)) })
        }
    }
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
public func graft_composition_adapter_count(_ composition: OpaquePointer?) -> Int32 {
    HandleTable.peek(composition, CompositionHandle.self).map { Int32(clamping: $0.members.count) } ?? -1
}

@c @implementation
public func graft_composition_adapter(
    _ composition: OpaquePointer?, _ index: Int32, _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    call { () throws(GraftError) in
        let out = try place(out)
        let composition = try HandleTable.borrow(composition, CompositionHandle.self, "composition")
        guard composition.members.indices.contains(Int(index)) else {
            throw GraftError(
                .invalidArgument, "index is \(index); the composition has \(composition.members.count) adapters")
        }
        let member = composition.members[Int(index)]
        do throws(GraftError) {
            try HandleTable.retain(member.handle, AdapterHandle.self, "adapter")
            out.pointee = member.handle
        } catch {  // all owners of that handle have released it
            out.pointee = try HandleTable.insert(member.adapter)
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
