/// An array that training keeps between updates: what it is called in a checkpoint, its length, and
/// its first values.
package struct StateArray: Sendable, Equatable {
    package let name: String
    package let count: Int
    package let initial: Float

    package init(_ name: String, count: Int, initial: Float = 0) {
        self.name = name
        self.count = count
        self.initial = initial
    }
}

/// Named arrays in one block of memory; without any, none.
package final class StateArrays: Sendable {
    package let arrays: [StateArray]
    private let memory: Memory
    private let offsets: [Int]

    package init(_ arrays: [StateArray]) throws(GraftError) {
        self.arrays = arrays
        var offsets: [Int] = []
        var count = 0
        for array in arrays {
            offsets.append(count)
            // Each begins on a cache line.
            count += (array.count + 15) & ~15
        }
        self.offsets = offsets
        memory = try Memory(byteCount: 4 * count)
        for (index, array) in arrays.enumerated() where array.initial != 0 { reset(index) }
    }

    /// The numbers of the array at `index`.
    package subscript(index: Int) -> UnsafeMutablePointer<Float> { memory.floats(from: offsets[index]) }

    /// The numbers of the array called `name`.
    package subscript(name: String) -> UnsafeMutablePointer<Float>? {
        arrays.firstIndex { $0.name == name }.map { self[$0] }
    }

    /// Gives all arrays their first values.
    package func reset() { for index in arrays.indices { reset(index) } }

    private func reset(_ index: Int) {
        self[index].update(repeating: arrays[index].initial, count: arrays[index].count)
    }

    package var residentByteCount: Int { memory.residentByteCount }
}
