import GraftTensor

/// An adapter's flat parameter array as passes see it. The memory is the owner's, whom this keeps
/// alive; gradients, of the same layout, are a trainer's.
package final class AdapterNumbers: @unchecked Sendable {
    package let values: UnsafeMutablePointer<Float>
    /// Room for what follows from them: see `DerivedNumbers`.
    let derived: UnsafeMutablePointer<Float>
    package let gradients: UnsafeMutablePointer<Float>?
    /// Multiplies what each of the adapter's actions changes: at 0 nothing.
    package let scale: Float
    private let changes: AdapterVersion
    private let owner: AnyObject

    /// - Parameters:
    ///   - derived: What follows the values in the owner's memory.
    ///   - changes: Marked where the values change.
    package init(
        values: UnsafeMutablePointer<Float>, derived: UnsafeMutablePointer<Float>, changes: AdapterVersion,
        gradients: UnsafeMutablePointer<Float>?, scale: Float, owner: AnyObject
    ) {
        self.values = values
        self.derived = derived
        self.changes = changes
        self.gradients = gradients
        self.scale = scale
        self.owner = owner
    }

    /// Counts the changes of the values.
    var version: Int { changes.count }

    /// What the numbers are now, and by how much they act: equal where both are.
    var content: [UInt64] { [changes.identity, UInt64(changes.count), UInt64(scale.bitPattern)] }

    package func gradients(_ parameter: Parameter) -> UnsafeMutablePointer<Float>? {
        parameter.isFrozen ? nil : gradients.map { $0 + parameter.offset }
    }
}
