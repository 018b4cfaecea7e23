import GraftTensor
import Testing

@Suite struct RandomNumbersTests {
    private func numbers(_ seed: UInt64, _ stream: String, count: Int = 32) -> [UInt64] {
        var numbers = RandomNumbers(seed: seed, stream: stream)
        return (0..<count).map { _ in numbers.next() }
    }

    @Test func aSeedAndAStreamAlwaysGiveTheSameNumbers() {
        #expect(numbers(7, "a") == numbers(7, "a"))
        #expect(Set(numbers(7, "a") + numbers(8, "a") + numbers(7, "b")).count == 96)
    }

    /// Words in pairs are how `next` takes them, whatever was taken before.
    @Test func numbersOfDifferentKindsComeFromOneSequence() {
        var (one, other) = (RandomNumbers(seed: 3, stream: "x"), RandomNumbers(seed: 3, stream: "x"))
        let high = UInt64(other.uniform() * 0x1p24)
        #expect(one.next() >> 40 == high)
        _ = other.uniform()
        #expect(one.next() == other.next())
    }

    @Test func uniformNumbersFillTheirRangeEvenly() {
        var numbers = RandomNumbers(seed: 1, stream: "uniform")
        let values = (0..<20_000).map { _ in Double(numbers.uniform()) }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        #expect(abs(values.reduce(0, +) / 20_000 - 0.5) < 0.01)
        for part in 0..<10 {
            let share = values.count { Int($0 * 10) == part }
            #expect(abs(share - 2_000) < 200, "part \(part)")
        }
    }

    @Test func normalNumbersHaveTheirMoments() {
        var numbers = RandomNumbers(seed: 1, stream: "normal")
        let values = (0..<20_000).map { _ in Double(numbers.normal()) }
        #expect(values.allSatisfy { $0.isFinite })
        for (power, moment) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
            let found = values.reduce(0) { sum, value in sum + (0..<power).reduce(1.0) { product, _ in product * value }
            }
            #expect(abs(found / 20_000 - moment) < 0.15, "moment \(power)")
        }
    }

    @Test func numbersBelowABoundAreEvenlyOften() {
        var numbers = RandomNumbers(seed: 1, stream: "below")
        for bound in [1, 3, 7] {
            var counts = [Int](repeating: 0, count: bound)
            for _ in 0..<3_000 * bound { counts[numbers.below(bound)] += 1 }
            #expect(counts.allSatisfy { abs($0 - 3_000) < 250 }, "below \(bound): \(counts)")
        }
        #expect(numbers.below(0) == 0)
    }

    /// Vectors of the authors: www.isthe.com/chongo/tech/comp/fnv.
    @Test func hashesAreThoseOfFowlerNollAndVo() {
        #expect(fnv1a("".utf8) == 0xcbf2_9ce4_8422_2325)
        #expect(fnv1a("a".utf8) == 0xaf63_dc4c_8601_ec8c)
        #expect(fnv1a("foobar".utf8) == 0x8594_4171_f739_67e8)
        #expect(fnv1a("bar".utf8, from: fnv1a("foo".utf8)) == fnv1a("foobar".utf8))
    }
}
