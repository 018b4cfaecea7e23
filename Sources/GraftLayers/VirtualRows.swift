import GraftTensor

/// What an adapter puts before the tokens of every row: keys and values in each layer, or tokens of
/// its own.
///
/// Its numbers are the adapter's parameters themselves, or are made of them: once a pass, however
/// many rows it has.
package protocol VirtualRows: AnyObject, Sendable {
    /// How many stand before each row.
    var count: Int { get }
    /// [count, width]. Where `keeps`, what backward needs is kept, and room for the gradients if
    /// the adapter learns.
    func make(_ numbers: AdapterNumbers, keeps: Bool, pass: Pass) throws(GraftError) -> MadeRows
    /// Adds to the adapter's gradients, from those that the pass has added up.
    func backward(_ made: MadeRows, _ numbers: AdapterNumbers, pass: Pass) throws(GraftError)
}

/// Virtual rows as one pass has them.
package struct MadeRows: BitwiseCopyable {
    /// [count, width].
    package let rows: Matrix
    /// Where their gradients add up; nil where nothing learns.
    package let gradients: Matrix?
    /// What they were made of, if of anything.
    package let inner: Matrix?

    package init(rows: Matrix, gradients: Matrix?, inner: Matrix? = nil) {
        self.rows = rows
        self.gradients = gradients
        self.inner = inner
    }
}

extension Pass {
    /// Makes the virtual rows of the pass's adapters from their numbers. Called by models before
    /// anything else.
    package func makeVirtualRows(keeps: Bool) throws(GraftError) {
        prefixes.removeAll(keepingCapacity: true)
        prompts.removeAll(keepingCapacity: true)
        for segment in segments {
            prefixes.append(try make(segment.adapter?.prefix, segment.adapter, keeps))
            prompts.append(try make(segment.adapter?.prompt, segment.adapter, keeps))
        }
    }

    private func make(
        _ rows: (any VirtualRows)?, _ adapter: AttachedAdapter?, _ keeps: Bool
    ) throws(GraftError) -> MadeRows? {
        guard let rows, let adapter else { return nil }
        return try rows.make(adapter.virtualNumbers, keeps: keeps, pass: self)
    }

    /// Called by models after all else: what the virtual rows were made of learns.
    package func virtualRowsBackward() throws(GraftError) {
        for segment in segments {
            guard let adapter = segment.adapter else { continue }
            if let made = prefixes[segment.index] {
                try adapter.prefix?.backward(made, adapter.virtualNumbers, pass: self)
            }
            if let made = prompts[segment.index] {
                try adapter.prompt?.backward(made, adapter.virtualNumbers, pass: self)
            }
        }
    }
}
