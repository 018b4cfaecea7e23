import GraftTensor
import Testing

@testable import Graft

/// A struct of 16 bytes in its first release, to which `appended` was added.
private struct Grown: OptionStruct {
    var struct_size = 0
    var first = 0
    var appended = 0

    static let firstSize = 16
    static var defaults: Self { Self(struct_size: MemoryLayout<Self>.size, first: 5, appended: 7) }
}

/// The words of a program's struct of `size` bytes, after the library has initialised it.
private func initialised(size: Int, words: Int = 8) -> [Int] {
    var memory = [Int](repeating: -1, count: words)
    memory.withUnsafeMutableBytes { Grown.initialize($0.baseAddress?.assumingMemoryBound(to: Grown.self), size: size) }
    return memory
}

/// What the library makes of a program's struct.
private func read(_ memory: [Int]) throws(GraftError) -> Grown {
    let result: Result<Grown, GraftError> = memory.withUnsafeBytes { bytes in
        Result { () throws(GraftError) in
            try Grown.read(bytes.baseAddress?.assumingMemoryBound(to: Grown.self), "options")
        }
    }
    return try result.get()
}

private func refusal(_ memory: [Int]) -> GraftError? {
    do {
        _ = try read(memory)
        return nil
    } catch {
        return error
    }
}

@Test func aProgramOfEveryReleaseGetsTheDefaultsOfTheFieldsThatItHas() {
    #expect(initialised(size: 8) == [8, -1, -1, -1, -1, -1, -1, -1])
    #expect(initialised(size: 16) == [16, 5, -1, -1, -1, -1, -1, -1])
    #expect(initialised(size: 24) == [24, 5, 7, -1, -1, -1, -1, -1])
    #expect(initialised(size: 40) == [40, 5, 7, 0, 0, -1, -1, -1])
}

@Test func whatAProgramLacksIsAtItsDefault() throws {
    let older = try read([16, 2, -1])
    #expect(older.first == 2 && older.appended == 7)
    let current = try read([24, 2, 3])
    #expect(current.first == 2 && current.appended == 3)
    let partial = try read([20, 2, 3 | 9 << 32])
    #expect(partial.appended == 3, "the upper half is the default's")
}

@Test func fieldsOfALaterReleaseMayNotBeSet() throws {
    let newer = try read([40, 2, 3, 0, 0])
    #expect(newer.first == 2 && newer.appended == 3)
    let refused = refusal([40, 2, 3, 0, 1])
    #expect(refused?.code == .unsupported && refused?.message.contains("byte 32") == true)
}

@Test(arguments: [0, 1, 8, 15, 65537, -8, Int.max, Int.min])
func aSizeThatNoReleaseHasIsRefused(size: Int) {
    let refused = refusal([size, 0, 0])
    #expect(refused?.code == .invalidArgument && refused?.message.contains("at least 16") == true)
}

@Test func resultsAreWrittenAsFarAsTheCallersStructGoes() {
    for (size, expected) in [(16, [16, 5, -1, -1]), (24, [24, 5, 7, -1]), (32, [32, 5, 7, -1])] {
        var memory = [size, -1, -1, -1]
        memory.withUnsafeMutableBytes {
            if let start = $0.baseAddress { Grown.defaults.write(to: start.assumingMemoryBound(to: Grown.self)) }
        }
        #expect(memory == expected)
    }
}
