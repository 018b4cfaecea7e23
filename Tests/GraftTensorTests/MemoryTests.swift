import GraftTensor
import Testing

@Suite struct MemoryTests {
    @Test func memoryIsZeroAndAligned() throws {
        for byteCount in [0, 1, 4096, 100_000] {
            let memory = try Memory(byteCount: byteCount)
            #expect(UInt(bitPattern: memory.base) % 4096 == 0)
            #expect(UnsafeRawBufferPointer(start: memory.base, count: byteCount).allSatisfy { $0 == 0 })
        }
    }

    @Test func whatIsNotTouchedCostsNothing() throws {
        let memory = try Memory(byteCount: 1 << 20)
        #expect(memory.residentByteCount == 0)
        memory.base.storeBytes(of: 1, as: UInt8.self)
        memory.base.storeBytes(of: 1, toByteOffset: 600_000, as: UInt8.self)
        #expect(memory.residentByteCount == 2 * 4096)
    }

    @Test(arguments: [1 << 60, Int.max / 2, Int.max])
    func whatNoMachineHasIsRefused(byteCount: Int) {
        #expect(throws: GraftError(.outOfMemory, "the system refused \(byteCount) bytes of memory")) {
            _ = try Memory(byteCount: byteCount)
        }
    }
}

@Suite struct ArenaTests {
    /// Allocates blocks of these sizes, and writes all over them.
    private func fill(_ arena: Arena, _ counts: [Int]) throws -> [UnsafeMutablePointer<Float>] {
        try counts.enumerated().map { index, count in
            let block = try arena.allocate(Float.self, count: count)
            block.update(repeating: Float(index), count: count)
            return block
        }
    }

    private static let counts = [1, 16, 1000, 17, 0, 300_000, 5, 2_000_000, 3]

    @Test func blocksAreAlignedAndDoNotOverlap() throws {
        let arena = Arena()
        let blocks = try fill(arena, Self.counts)
        for (index, (block, count)) in zip(blocks, Self.counts).enumerated() {
            #expect(UInt(bitPattern: block) % 64 == 0)
            let kept = (0..<count).allSatisfy { block[$0] == Float(index) }
            #expect(kept, "block \(index) was overwritten")
        }
    }

    @Test func theSameWorkAsksTheSystemForNothingMore() throws {
        let arena = Arena()
        _ = try fill(arena, Self.counts)
        arena.rewind()
        let before = try fill(arena, Self.counts)
        let held = arena.byteCount
        for _ in 0..<3 {
            arena.rewind()
            #expect(try fill(arena, Self.counts) == before)
        }
        #expect(arena.byteCount == held)
    }

    @Test func whatComesAfterAMarkIsGivenBack() throws {
        let arena = Arena(smallestBlock: 1024)
        let outer = try arena.allocate(Int64.self, count: 3)
        outer.update(repeating: 7, count: 3)
        let mark = arena.mark
        let first = try arena.matrix(rows: 100, columns: 100)
        arena.rewind(to: mark)
        let second = try arena.matrix(rows: 100, columns: 100)
        #expect(first.base == second.base)
        #expect((0..<3).allSatisfy { outer[$0] == 7 })
    }

    @Test(arguments: [1 << 50, Int.max / 4, Int.max])
    func whatNoMachineHasIsRefused(count: Int) throws {
        let arena = Arena()
        #expect(throws: GraftError.self) { _ = try arena.allocate(Float.self, count: count) }
        #expect(throws: Never.self) { _ = try arena.allocate(Float.self, count: 1) }
    }

    @Test func viewsOfAMatrixAreItsNumbers() throws {
        let arena = Arena()
        let matrix = try arena.matrix(rows: 5, columns: 7)
        for index in 0..<35 { matrix.base[index] = Float(index) }
        let view = matrix.rows(from: 1, count: 3).columns(from: 2, count: 4)
        #expect(view.rows == 3 && view.columns == 4 && view.count == 12 && view.stride == 7)
        for row in 0..<3 {
            for column in 0..<4 {
                #expect(view.base[row * view.stride + column] == Float((row + 1) * 7 + column + 2))
            }
        }
    }
}
