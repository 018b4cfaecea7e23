import CGraftKernels
import GraftTensor
import Testing

/// A matrix with memory of its own.
private final class Owned {
    let memory: Memory
    let matrix: Matrix

    /// Normal numbers, of a stream of their own.
    init(_ rows: Int, _ columns: Int, _ name: String = "zero") throws {
        memory = try Memory(byteCount: max(rows * columns, 1) * 4)
        matrix = Matrix(memory.floats(), rows: rows, columns: columns)
        guard name != "zero" else { return }
        var numbers = RandomNumbers(seed: 1, stream: name)
        for index in 0..<matrix.count { matrix.base[index] = numbers.normal() }
    }

    var values: [Float] { (0..<matrix.count).map { matrix.base[$0] } }

    subscript(row: Int, column: Int) -> Float { matrix.base[row * matrix.stride + column] }
}

private func packed(
    _ weight: Owned, _ precision: Precision, transposed: Bool = false, rowsAtOnce: Int? = nil, _ team: Team
) throws -> PackedWeight {
    let (outputs, inputs) =
        transposed ? (weight.matrix.columns, weight.matrix.rows) : (weight.matrix.rows, weight.matrix.columns)
    let result = try PackedWeight(outputs: outputs, inputs: inputs, precision: precision)
    let step = rowsAtOnce ?? outputs
    for first in stride(from: 0, to: outputs, by: step) {
        withExtendedLifetime(weight) {
            result.pack(
                firstRow: first, rowCount: min(step, outputs - first), rows: weight.matrix.base + first * inputs,
                type: gk_type(GK_FLOAT32), isTransposed: transposed, team: team)
        }
    }
    return result
}

private func bytes(_ weight: PackedWeight) -> [UInt8] { withExtendedLifetime(weight) { Array(weight.bytes) } }

private func unpacked(_ weight: PackedWeight) -> [Float] {
    [Float](unsafeUninitializedCapacity: weight.outputs * weight.inputs) { buffer, count in
        count = weight.outputs * weight.inputs
        if let start = buffer.baseAddress { weight.unpack(firstRow: 0, rowCount: weight.outputs, into: start) }
    }
}

/// Σ a ∘ b, in double.
private func dot(_ a: Owned, _ b: Owned) -> Double {
    zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

@Suite struct PackedWeightTests {
    static let shapes = [(1, 1), (3, 5), (32, 16), (33, 31), (70, 129)]

    @Test(arguments: shapes)
    func packingInFloat32IsTheIdentity(shape: (outputs: Int, inputs: Int)) throws {
        let team = try Team(threadCount: 2)
        let weight = try Owned(shape.outputs, shape.inputs, "weight")
        #expect(unpacked(try packed(weight, .float32, team)) == weight.values)
    }

    @Test(arguments: shapes)
    func packingInBfloat16RoundsEachNumber(shape: (outputs: Int, inputs: Int)) throws {
        let team = try Team(threadCount: 2)
        let weight = try Owned(shape.outputs, shape.inputs, "weight")
        let once = unpacked(try packed(weight, .bfloat16, team))
        for (rounded, exact) in zip(once, weight.values) {
            #expect(abs(rounded - exact) <= abs(exact) / 256 && rounded.bitPattern & 0xffff == 0)
        }
        // What was rounded stays as it is.
        for (index, value) in once.enumerated() { weight.matrix.base[index] = value }
        #expect(unpacked(try packed(weight, .bfloat16, team)) == once)
    }

    @Test(arguments: Precision.allCases)
    func partsPackAsTheWholeDoes(precision: Precision) throws {
        let team = try Team(threadCount: 2)
        let weight = try Owned(70, 45, "weight")
        let whole = try packed(weight, precision, team)
        for rowsAtOnce in [1, 7, 32, 69] {
            #expect(try bytes(packed(weight, precision, rowsAtOnce: rowsAtOnce, team)) == bytes(whole))
        }
    }

    @Test func transposedStoragePacksTheSame() throws {
        let team = try Team(threadCount: 2)
        let weight = try Owned(70, 45, "weight")
        let turned = try Owned(45, 70)
        for row in 0..<70 { for column in 0..<45 { turned.matrix.base[column * 70 + row] = weight[row, column] } }
        #expect(try bytes(packed(turned, .float32, transposed: true, team)) == bytes(packed(weight, .float32, team)))
    }

    @Test(arguments: shapes)
    func productsAreSumsOverTheInputs(shape: (outputs: Int, inputs: Int)) throws {
        let team = try Team(threadCount: 2)
        let (weight, x) = (try Owned(shape.outputs, shape.inputs, "weight"), try Owned(4, shape.inputs, "x"))
        let (bias, y) = (try Owned(1, shape.outputs, "bias"), try Owned(4, shape.outputs))
        try packed(weight, .float32, team).multiply(x.matrix, into: y.matrix, bias: bias.matrix.base, team: team)
        for row in 0..<4 {
            for output in 0..<shape.outputs {
                let sum = (0..<shape.inputs).reduce(Double(bias[0, output])) {
                    $0 + Double(x[row, $1]) * Double(weight[output, $1])
                }
                #expect(abs(Double(y[row, output]) - sum) < 1e-5 * Double(shape.inputs))
            }
        }
    }

    /// ⟨dy, W x⟩ = ⟨Wᵀ dy, x⟩.
    @Test(arguments: shapes, Precision.allCases)
    func backwardIsTheAdjointOfForward(shape: (outputs: Int, inputs: Int), precision: Precision) throws {
        let team = try Team(threadCount: 2)
        let weight = try packed(Owned(shape.outputs, shape.inputs, "weight"), precision, team)
        let (x, dy) = (try Owned(4, shape.inputs, "x"), try Owned(4, shape.outputs, "dy"))
        let (y, dx) = (try Owned(4, shape.outputs), try Owned(4, shape.inputs))
        weight.multiply(x.matrix, into: y.matrix, bias: nil, team: team)
        weight.multiplyBackward(dy.matrix, into: dx.matrix, accumulate: false, team: team)
        let tolerance = (precision == .float32 ? 1e-5 : 2e-2) * Double(shape.outputs * shape.inputs).squareRoot() * 4
        #expect(abs(dot(dy, y) - dot(dx, x)) < tolerance)
        let once = dx.values
        weight.multiplyBackward(dy.matrix, into: dx.matrix, accumulate: true, team: team)
        for (twice, one) in zip(dx.values, once) { #expect(abs(twice - 2 * one) <= 1e-5 * max(1, abs(one))) }
    }
}

@Suite struct TeamTests {
    @Test(arguments: [-1, Int(GK_MAXIMUM_THREADS) + 1, Int.max])
    func countsOfThreadsOutOfRangeAreRefused(count: Int) {
        #expect(throws: GraftError.self) { _ = try Team(threadCount: count) }
    }

    @Test func aTeamHasAtLeastOneThreadAndAtMostThoseAskedFor() throws {
        for count in [0, 1, 2, Int(GK_MAXIMUM_THREADS)] {
            let team = try Team(threadCount: count)
            #expect(team.threadCount >= 1 && (count == 0 || team.threadCount <= count))
        }
    }

    /// c = 2 c + 3 op(a) op(b), for every pair of transpositions.
    @Test(arguments: [false, true], [false, true])
    func productsOfTransposedMatricesAreThoseOfTheStored(transposeA: Bool, transposeB: Bool) throws {
        let team = try Team(threadCount: 2)
        let (m, k, n) = (7, 33, 18)
        let a = try Owned(transposeA ? k : m, transposeA ? m : k, "a")
        let b = try Owned(transposeB ? n : k, transposeB ? k : n, "b")
        let c = try Owned(m, n, "c")
        let before = c.values
        team.multiply(
            a.matrix, b.matrix, transposeA: transposeA, transposeB: transposeB, scale: 3, adding: 2, into: c.matrix)
        for row in 0..<m {
            for column in 0..<n {
                let sum = (0..<k).reduce(0.0) {
                    $0 + Double(transposeA ? a[$1, row] : a[row, $1])
                        * Double(transposeB ? b[column, $1] : b[$1, column])
                }
                #expect(abs(Double(c[row, column]) - (2 * Double(before[row * n + column]) + 3 * sum)) < 1e-3)
            }
        }
    }

    @Test func aRowIsAddedToEachRow() throws {
        let team = try Team(threadCount: 1)
        let (row, c) = (try Owned(1, 5, "row"), try Owned(3, 5, "c"))
        let before = c.values
        team.addToRows(row.matrix, scale: 2, of: c.matrix)
        for index in 0..<15 { #expect(abs(c.values[index] - (before[index] + 2 * row[0, index % 5])) < 1e-6) }
    }
}
