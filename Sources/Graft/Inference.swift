public import CGraft
import GraftInference
import GraftLayers
import GraftTensor

extension graft_session_options: OptionStruct {
    static var defaults: Self { zero }

    /// A session of a model.
    static func session(
        _ model: OpaquePointer?, _ options: UnsafePointer<Self>?
    ) throws(GraftError) -> Session {
        let model = try HandleTable.borrow(model, ModelHandle.self, "model").model
        let options = try read(options, "options")
        guard options.reserved == 0 else {
            throw GraftError(.invalidArgument, "reserved must be 0, found \(options.reserved)")
        }
        let token = try HandleTable.borrowOptional(options.cancel_token, CancelToken.self, "cancel_token")
        return try Session(
            model: model, threadCount: Int(options.thread_count),
            passTokenCount: try count(options.pass_token_count, "pass_token_count", atMost: 1 << 30),
            cancelToken: token)
    }
}

@c @implementation
public func graft_session_options_init(_ options: UnsafeMutablePointer<graft_session_options>?, _ struct_size: Int) {
    graft_session_options.initialize(options, size: struct_size)
}

@c @implementation
public func graft_session_create(
    _ model: OpaquePointer?, _ options: UnsafePointer<graft_session_options>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in try graft_session_options.session(model, options) }
}

@c @implementation
public func graft_session_retain(_ session: OpaquePointer?) -> graft_status {
    retain(session, Session.self, "session")
}

@c @implementation
public func graft_session_release(_ session: OpaquePointer?) { HandleTable.release(session, Session.self) }

@c @implementation
public func graft_session_memory(_ session: OpaquePointer?) -> Int64 {
    HandleTable.peek(session, Session.self).map { Int64($0.residentByteCount) } ?? -1
}

@c @implementation
public func graft_session_set_adapters(_ session: OpaquePointer?, _ adapters: OpaquePointer?) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let adapters = try HandleTable.borrowOptional(adapters, CompositionHandle.self, "adapters")
            try session.attach(adapters?.composition)
        }
    }
}

@c @implementation
public func graft_session_hidden_states(
    _ session: OpaquePointer?, _ batch: OpaquePointer?, _ layer: Int32, _ out: UnsafeMutablePointer<Float>?,
    _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let needed = batch.rows.tokenCount * session.model.shape.hiddenSize
            try session.hiddenStates(
                batch.rows, adapters: batch.adapters, layer: Int(layer),
                into: try output(out, capacity: capacity, needs: needed, "out"))
        }
    }
}

@c @implementation
public func graft_session_embed(
    _ session: OpaquePointer?, _ batch: OpaquePointer?, _ pooling: graft_pooling, _ normalize: Int32,
    _ out: UnsafeMutablePointer<Float>?, _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let embedding = try session.embedding(
                pooling == graft_pooling(GRAFT_POOLING_DEFAULT) ? nil : try choice(pooling, Pooling.self, "pooling"),
                normalizes: normalize == -1 ? nil : try flag(normalize, "normalize"))
            let needed = batch.rows.rowCount * embedding.width(hiddenSize: session.model.shape.hiddenSize)
            try session.embed(
                batch.rows, adapters: batch.adapters, as: embedding,
                into: try output(out, capacity: capacity, needs: needed, "out"))
        }
    }
}

@c @implementation
public func graft_session_classify(
    _ session: OpaquePointer?, _ batch: OpaquePointer?, _ out: UnsafeMutablePointer<Float>?, _ capacity: Int64,
    _ columns: UnsafeMutablePointer<Int64>?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let (unit, count) = try session.outputs(batch.rows, adapters: batch.adapters)
            columns?.pointee = Int64(count)
            try session.classify(
                batch.rows, adapters: batch.adapters,
                into: try output(out, capacity: capacity, needs: batch.rows.count(unit) * count, "out"))
        }
    }
}

@c @implementation
public func graft_session_predict(
    _ session: OpaquePointer?, _ batch: OpaquePointer?, _ best_count: Int64, _ labels: UnsafeMutablePointer<Int32>?,
    _ probabilities: UnsafeMutablePointer<Float>?, _ capacity: Int64
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(session, Session.self, "session", .changes) { session throws(GraftError) in
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let bestCount = try count(best_count, "best_count", from: 1, atMost: 1 << 20)
            let (unit, _) = try session.outputs(batch.rows, adapters: batch.adapters)
            let needed = batch.rows.count(unit) * bestCount
            let labels = try output(labels, capacity: capacity, needs: needed, "labels")
            let predictions = try session.predict(batch.rows, adapters: batch.adapters, bestCount: bestCount)
            for (index, prediction) in predictions.enumerated() {
                labels[index] = prediction.label
                probabilities?[index] = prediction.probability
            }
        }
    }
}
