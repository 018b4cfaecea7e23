import GraftLayers
import GraftTensor
import Testing

/// A matrix with memory of its own.
final class Owned {
    let memory: Memory
    let matrix: Matrix

    /// Zeros, or normal numbers of a stream of their own.
    init(_ rows: Int, _ columns: Int, _ name: String? = nil, scale: Float = 1, around center: Float = 0) throws {
        memory = try Memory(byteCount: rows * columns * 4)
        matrix = Matrix(memory.floats(), rows: rows, columns: columns)
        guard let name else { return }
        var numbers = RandomNumbers(seed: 1, stream: name)
        for index in 0..<matrix.count { matrix.base[index] = center + scale * numbers.normal() }
    }

    /// Σ of products with another's numbers, in double.
    func dot(_ other: Owned) -> Double {
        (0..<matrix.count).reduce(0) { $0 + Double(matrix.base[$1]) * Double(other.matrix.base[$1]) }
    }

    func set(_ x: Owned, plus factor: Float, times direction: Owned) {
        for index in 0..<matrix.count {
            matrix.base[index] = x.matrix.base[index] + factor * direction.matrix.base[index]
        }
    }

    var values: [Float] { (0..<matrix.count).map { matrix.base[$0] } }
}

/// Rows of these lengths in a pass in which all layers keep what backward needs.
func makePass(_ lengths: [Int], reading summary: SummaryToken? = nil, dropoutKey: UInt64? = nil) throws -> Pass {
    var batch = RowBatch()
    for (row, length) in lengths.enumerated() {
        batch.append(tokens: (0..<length).map { Int32(($0 * 7 + row) % 11) }, types: (0..<length).map { Int32($0 % 2) })
    }
    let pass = try Pass(team: Team(threadCount: 2))
    pass.keptDepth = 0
    pass.dropoutKey = dropoutKey
    try pass.begin(batch, rows: 0..<lengths.count, reading: summary) { _ in nil }
    return pass
}

/// Compares the backward of a layer with central differences of its forward: in some directions v
/// of x, the derivative of L = ⟨w, y⟩ is ⟨dx, v⟩.
///
/// - Parameters:
///   - run: y from x, and a function that makes dx from dy.
func expectGradients(
    of layer: String, rows: Int, inputs: Int, outputRows: Int? = nil, outputs: Int, tolerance: Double = 2e-3,
    _ run: (_ x: Matrix, _ y: Matrix) throws -> ((_ dy: Matrix, _ dx: Matrix) throws -> Void)
) throws {
    let x = try Owned(rows, inputs, "x")
    let weights = try Owned(outputRows ?? rows, outputs, "weights")
    let y = try Owned(outputRows ?? rows, outputs)
    let backward = try run(x.matrix, y.matrix)
    let dx = try Owned(rows, inputs)
    let dy = try Owned(outputRows ?? rows, outputs, "weights")
    try backward(dy.matrix, dx.matrix)
    let step: Float = 1e-2
    for number in 0..<4 {
        let direction = try Owned(rows, inputs, "direction \(number)")
        let moved = try Owned(rows, inputs)
        var losses: [Double] = []
        for factor in [step, -step] {
            moved.set(x, plus: factor, times: direction)
            _ = try run(moved.matrix, y.matrix)
            losses.append(weights.dot(y))
        }
        let expected = (losses[0] - losses[1]) / Double(2 * step)
        let found = dx.dot(direction)
        let size = Double(rows * inputs).squareRoot()
        #expect(
            abs(found - expected) <= tolerance * max(size, abs(expected)),
            "\(layer), direction \(number): backward says \(found), differences \(expected)")
    }
}
