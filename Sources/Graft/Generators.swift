public import CGraft
import GraftInference
import GraftTensor
import GraftTokenizers

/// What a generator is: a session that none but it uses.
private final class Generator {
    let session: Session
    let tokenizer: Tokenizer?
    /// The number of the next row that is added.
    var nextRow: Int64 = 0

    /// Texts under way, for threads that ask.
    let rowCount = Guarded<Int>(0)

    func count() { rowCount.withLock { $0 = session.generatedRowCount } }

    init(_ session: Session, _ tokenizer: Tokenizer?) {
        self.session = session
        self.tokenizer = tokenizer
    }
}

@c @implementation
public func graft_generator_create(
    _ model: OpaquePointer?, _ tokenizer: OpaquePointer?, _ options: UnsafePointer<graft_session_options>?,
    _ out: UnsafeMutablePointer<OpaquePointer?>?
) -> graft_status {
    create(out) { () throws(GraftError) in
        let tokenizer = try HandleTable.borrowOptional(tokenizer, Tokenizer.self, "tokenizer")
        return Generator(try graft_session_options.session(model, options), tokenizer)
    }
}

@c @implementation
public func graft_generator_retain(_ generator: OpaquePointer?) -> graft_status {
    retain(generator, Generator.self, "generator")
}

@c @implementation
public func graft_generator_release(_ generator: OpaquePointer?) { HandleTable.release(generator, Generator.self) }

@c @implementation
public func graft_generator_memory(_ generator: OpaquePointer?) -> Int64 {
    HandleTable.peek(generator, Generator.self).map { Int64($0.session.residentByteCount) } ?? -1
}

@c @implementation
public func graft_generator_row_count(_ generator: OpaquePointer?) -> Int64 {
    HandleTable.peek(generator, Generator.self).map { Int64($0.rowCount.withLock { $0 }) } ?? -1
}

@c @implementation
public func graft_generator_add(
    _ generator: OpaquePointer?, _ batch: OpaquePointer?, _ options: UnsafePointer<graft_generate_options>?,
    _ first_row: UnsafeMutablePointer<Int64>?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(generator, Generator.self, "generator", .changes) { generator throws(GraftError) in
            let batch = try HandleTable.borrow(batch, BatchHandle.self, "batch").content
            let options = try graft_generate_options.read(options, "options").checked(rowCount: batch.rows.rowCount)
            try generator.session.add(
                batch.rows, adapters: batch.adapters, options: options, tokenizer: generator.tokenizer,
                firstRow: Int(generator.nextRow))
            generator.count()
            first_row?.pointee = generator.nextRow
            generator.nextRow += Int64(batch.rows.rowCount)
        }
    }
}

@c @implementation
public func graft_generator_step(
    _ generator: OpaquePointer?, _ on_token: graft_token_callback?, _ user_data: UnsafeMutableRawPointer?
) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(generator, Generator.self, "generator", .changes) { generator throws(GraftError) in
            defer { generator.count() }
            _ = try generator.session.step(try tokenReport(on_token, user_data))
        }
    }
}

@c @implementation
public func graft_generator_remove(_ generator: OpaquePointer?, _ row: Int64) -> graft_status {
    call { () throws(GraftError) in
        try HandleTable.with(generator, Generator.self, "generator", .changes) { generator throws(GraftError) in
            try generator.session.remove(row: Int(row))
            generator.count()
        }
    }
}
