import GraftTensor

/// What an adapter puts before the tokens of every row: keys and values in each layer, or tokens of
/// its own.
///
/// Its numbers are the adapter's parameters themselves, or are made of them: once a pass, however
/// many rows it has.
package protocol VirtualRows: AnyObject, Sendable {
    /// How many stand before each row.
    var count: Int { get }
    /// Where each layer has its keys and values; of tokens `.own`.
    var layers: PrefixLayers { get }
    /// [count, width]. Where `keeps`, what backward needs is kept, and room for the gradients if
    /// the adapter learns.
    func make(_ numbers: AdapterNumbers, keeps: Bool, pass: Pass) throws(GraftError) -> MadeRows
    /// Adds to the adapter's gradients, from those that the pass has added up.
    func backward(_ made: MadeRows, _ numbers: AdapterNumbers, pass: Pass) throws(GraftError)
}

/// Where a layer's keys and values stand in the rows of a prefix.
package enum PrefixLayers: BitwiseCopyable, Sendable {
    /// In the layer's own place.
    case own
    /// As PEFT deals the keys and values that it has for so many layers, an encoder's, out to those
    /// of a decoder: it puts them behind themselves, and each layer takes the next two, of which
    /// the second were those of cross-attention, and are thrown away.
    case dealt(Int)

    /// Whether they stand before what a decoder writes, and not before what an encoder reads.
    var areOfDecoder: Bool { if case .dealt = self { true } else { false } }

    func place(of layer: Int) -> Int {
        switch self {
        case .own: layer
        case .dealt(let count): 2 * layer % count
        }
    }

    /// Of the lowest layer that has any: see `ModelShape`.
    var depth: Int {
        switch self {
        case .own: 1
        case .dealt(let encoderLayerCount): encoderLayerCount + 2
        }
    }
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
            prefixes.append(try make(prefix(segment.adapter), segment.adapter, keeps))
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
