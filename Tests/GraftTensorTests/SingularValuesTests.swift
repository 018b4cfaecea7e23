import Testing

@testable import GraftTensor

/// W = U S Vᵀ, of tall and wide matrices.
struct SingularValuesTests {
    static let shapes = [(1, 1), (5, 3), (3, 5), (40, 40), (64, 17), (17, 64)]

    private func numbers(_ rows: Int, _ columns: Int, stream: String) throws -> (Matrix, Memory) {
        var random = RandomNumbers(seed: 7, stream: stream)
        let memory = try Memory(byteCount: rows * columns * 4)
        for index in 0..<rows * columns { memory.floats()[index] = random.normal() }
        return (Matrix(memory.floats(), rows: rows, columns: columns), memory)
    }

    /// The largest difference of W and U S Vᵀ.
    private func difference(_ w: Matrix, _ values: SingularValues) -> Float {
        var largest: Float = 0
        for row in 0..<w.rows {
            for column in 0..<w.columns {
                var sum: Float = 0
                for index in 0..<values.count {
                    sum +=
                        values.u.base[row * values.count + index] * values.s[index]
                        * values.vt.base[index * w.columns + column]
                }
                largest = max(largest, abs(sum - w.base[row * w.columns + column]))
            }
        }
        return largest
    }

    @Test("the product of the three parts is the matrix", arguments: shapes)
    func product(rows: Int, columns: Int) throws {
        let (w, owner) = try numbers(rows, columns, stream: "w")
        let (copy, copyOwner) = try numbers(rows, columns, stream: "w")
        defer { withExtendedLifetime((owner, copyOwner)) {} }
        let values = try SingularValues(overwriting: copy)
        let found = difference(w, values)
        #expect(found < 2e-5, "difference \(found)")
        #expect(values.count == min(rows, columns))
        #expect((1..<values.count).allSatisfy { values.s[$0] <= values.s[$0 - 1] })
        withExtendedLifetime(values.memory) {}
    }

    @Test(
        "iterating over a subspace finds the largest values of a matrix of low rank", arguments: [(50, 30), (30, 50)])
    func subspace(rows: Int, columns: Int) throws {
        let team = try Team(threadCount: 1)
        let (a, aOwner) = try numbers(rows, 4, stream: "a")
        let (b, bOwner) = try numbers(4, columns, stream: "b")
        let memory = try Memory(byteCount: rows * columns * 4)
        defer { withExtendedLifetime((aOwner, bOwner, memory)) {} }
        let w = Matrix(memory.floats(), rows: rows, columns: columns)
        team.multiply(a, b, into: w)
        let values = try SingularValues(
            of: w, rank: 4, iterations: 2, random: RandomNumbers(seed: 1, stream: "start"), team: team)
        let found = difference(w, values)
        #expect(found < 5e-5, "difference \(found)")
        withExtendedLifetime(values.memory) {}
    }

    @Test("numbers that are not finite are refused, and so is an empty matrix")
    func refusals() throws {
        let (w, owner) = try numbers(4, 4, stream: "w")
        defer { withExtendedLifetime(owner) {} }
        w.base[5] = .nan
        #expect(throws: GraftError.self) { try SingularValues(overwriting: w) }
        #expect(throws: GraftError.self) { try SingularValues(overwriting: w.rows(from: 0, count: 0)) }
    }
}
