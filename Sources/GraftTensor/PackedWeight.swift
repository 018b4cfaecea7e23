import CGraftKernels

/// A frozen weight W [outputs, inputs], packed once into the panels that the products read.
package final class PackedWeight: @unchecked Sendable {
    package let outputs: Int
    package let inputs: Int
    package let precision: Precision
    private let memory: Memory

    package init(outputs: Int, inputs: Int, precision: Precision) throws(GraftError) {
        self.outputs = outputs
        self.inputs = inputs
        self.precision = precision
        memory = try Memory(byteCount: gk_packed_size(precision.kernelType, Int64(outputs), Int64(inputs)))
    }

    /// Packs rows from `firstRow` on, read from `rows` of the stored type: row after row, or column
    /// after column where `isTransposed`.
    ///
    /// Only while the weight is being built, by the thread that builds it.
    package func pack(
        firstRow: Int, rowCount: Int, rows: UnsafeRawPointer, type: gk_type, isTransposed: Bool = false, team: Team
    ) {
        gk_pack(
            team.kernel, precision.kernelType, Int64(outputs), Int64(inputs), memory.base, Int64(firstRow),
            Int64(rowCount), rows, type, isTransposed ? 1 : Int64(inputs), isTransposed ? Int64(rowCount) : 1)
    }

    /// y = f(x Wᵀ + bias). `beforeActivation`, of y's shape and stride, receives x Wᵀ + bias.
    package func multiply(
        _ x: Matrix, into y: Matrix, bias: UnsafePointer<Float>?, activation: Activation = .identity,
        beforeActivation: Matrix? = nil, team: Team
    ) {
        var epilogue = gk_epilogue(
            bias: bias, before_activation: beforeActivation?.base, activation: activation.kernel, reserved: 0)
        gk_product(
            team.kernel, precision.kernelType, Int64(outputs), Int64(inputs), memory.base, Int64(x.rows), x.base,
            Int64(x.stride), &epilogue, y.base, Int64(y.stride))
    }

    /// dx = dy W, or dx += dy W.
    package func multiplyBackward(_ dy: Matrix, into dx: Matrix, accumulate: Bool, team: Team) {
        gk_product_backward(
            team.kernel, precision.kernelType, Int64(outputs), Int64(inputs), memory.base, Int64(dy.rows), dy.base,
            Int64(dy.stride), accumulate, dx.base, Int64(dx.stride))
    }

    /// Rows as the products see them, float32.
    package func unpack(firstRow: Int, rowCount: Int, into rows: UnsafeMutablePointer<Float>) {
        gk_unpack(
            precision.kernelType, Int64(outputs), Int64(inputs), memory.base, Int64(firstRow), Int64(rowCount), rows)
    }

    package var residentByteCount: Int { memory.residentByteCount }

    /// The packed bytes, for checksums.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: memory.base, count: gk_packed_size(precision.kernelType, Int64(outputs), Int64(inputs)))
    }
}
