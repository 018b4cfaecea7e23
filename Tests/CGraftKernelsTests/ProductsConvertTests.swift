import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Convert {
        func fromFloat32(_ numbers: [Float], _ type: gk_type) -> [UInt16] {
            var stored = [UInt16](repeating: 0xdead, count: numbers.count + 1)
            gk_from_float32(Int64(numbers.count), numbers, type, &stored)
            #expect(stored.last == 0xdead)
            return Array(stored.dropLast())
        }

        func toFloat32(_ stored: [UInt16], _ type: gk_type) -> [Float] {
            var numbers = [Float](repeating: -7, count: stored.count + 1)
            gk_to_float32(Int64(stored.count), stored, type, &numbers)
            #expect(numbers.last == -7)
            return Array(numbers.dropLast())
        }

        @Test("Every float16 converts to the number it stands for and back to itself")
        func float16RoundTrip() {
            let all = (0...UInt16.max).map { $0 }
            onEveryPath { path in
                let numbers = toFloat32(all, Types.float16)
                for (bits, number) in zip(all, numbers) {
                    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
                    let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 0x3ff))
                    switch (exponent, fraction) {
                    case (31, 0): #expect(Double(number) == sign * .infinity, "\(path) \(bits)")
                    case (31, _): #expect(number.isNaN, "\(path) \(bits)")
                    case (0, _):
                        #expect(Double(number) == sign * fraction * 0x1p-24, "\(path) \(bits)")
                        #expect(number.sign == (sign < 0 ? .minus : .plus), "\(path) \(bits)")
                    default:
                        var expected = sign * (1 + fraction / 1024)
                        expected *= Double(sign: .plus, exponent: exponent - 15, significand: 1)
                        #expect(Double(number) == expected, "\(path) \(bits)")
                    }
                }
                let back = fromFloat32(numbers, Types.float16)
                for (bits, other) in zip(all, back) {
                    let isNaN = bits & 0x7c00 == 0x7c00 && bits & 0x3ff != 0
                    #expect(other == (isNaN ? bits | 0x200 : bits), "\(path) \(bits)")
                }
            }
        }

        @Test("float64 converts to the nearest float32 from any address, and beyond its range to infinity")
        func float64() {
            let numbers: [Double] = [0, -0.0, 1, 1.0 / 3, 1 + 0x1p-24, 1 + 0x1.8p-23, 1e300, -1e300, 1e-300, .infinity]
            onEveryPath { path in
                for shift in 0..<8 {
                    var bytes = [UInt8](repeating: 0, count: shift)
                    for number in numbers { withUnsafeBytes(of: number) { bytes += Array($0) } }
                    var found = [Float](repeating: -7, count: numbers.count)
                    bytes.withUnsafeBytes { bytes in
                        if let base = bytes.baseAddress {
                            gk_to_float32(Int64(numbers.count), base + shift, gk_type(GK_FLOAT64), &found)
                        }
                    }
                    #expect(found.map(\.bitPattern) == numbers.map { Float($0).bitPattern }, "\(path), shift \(shift)")
                }
            }
        }

        @Test("float32 converts to float64 without a change, to any address")
        func toFloat64() {
            let numbers: [Float] = [0, -0.0, 1, 1.0 / 3, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -.infinity]
            onEveryPath { path in
                for shift in 0..<8 {
                    var bytes = [UInt8](repeating: 0xad, count: shift + 8 * numbers.count + 1)
                    bytes.withUnsafeMutableBytes { bytes in
                        if let base = bytes.baseAddress {
                            gk_from_float32(Int64(numbers.count), numbers, gk_type(GK_FLOAT64), base + shift)
                        }
                        let found = numbers.indices.map {
                            bytes.loadUnaligned(fromByteOffset: shift + 8 * $0, as: Double.self).bitPattern
                        }
                        #expect(found == numbers.map { Double($0).bitPattern }, "\(path), shift \(shift)")
                    }
                    #expect(bytes.last == 0xad)
                }
            }
        }

        @Test("The first number that is not finite is found, wherever it stands among the finite")
        func firstNotFinite() {
            var numbers = (0..<5000).map { Float($0) * 1e30 - 1e33 }
            #expect(gk_first_not_finite(Int64(numbers.count), numbers) == -1)
            #expect(gk_first_not_finite(0, numbers) == -1)
            for place in [4999, 4096, 1024, 1023, 7, 0] {
                numbers[place] = [.nan, .infinity, -.infinity][place % 3]
                #expect(gk_first_not_finite(Int64(numbers.count), numbers) == Int64(place))
                #expect(gk_first_not_finite(Int64(place), numbers) == -1)
            }
        }

        @Test("float16 rounds to nearest even: normal, subnormal, too large and too small numbers")
        func float16Rounding() {
            let cases: [(Float, UInt16)] = [
                (1 + 0x1p-11, 0x3c00), (1 + 0x3p-11, 0x3c02), (1 + 0x1.002p-11, 0x3c01), (65504, 0x7bff),
                (65519.996, 0x7bff), (65520, 0x7c00), (1e30, 0x7c00), (-1e30, 0xfc00), (.infinity, 0x7c00),
                (0x1p-14, 0x0400), (0x1.ff8p-15, 0x03ff), (0x1.ffcp-15, 0x0400), (0x1p-24, 1), (0x1p-25, 0),
                (0x1.000002p-25, 1), (0x3p-25, 2), (-0x1p-24, 0x8001), (1e-30, 0), (-1e-30, 0x8000), (0, 0),
                (-0.0, 0x8000), (0x1p-149, 0),
            ]
            onEveryPath { path in
                let stored = fromFloat32(cases.map(\.0), Types.float16)
                for (test, bits) in zip(cases, stored) { #expect(bits == test.1, "\(path): \(test.0)") }
                #expect(fromFloat32([.nan], Types.float16)[0] & 0x7fff > 0x7c00, "\(path)")
                #expect(fromFloat32([.signalingNaN], Types.float16)[0] & 0x7fff > 0x7c00, "\(path)")
            }
        }

        @Test("bfloat16 rounds to nearest even, and NaN stays NaN")
        func bfloat16() {
            var generator = Generator(state: 1)
            let numbers =
                (0..<1000).map { _ in generator.next() }
                + [0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0x3f80_7fff, 0, 0x8000_0000, 1, 0x8000_ffff, 0x7f7f_ffff]
                .map { Float(bitPattern: $0) }
            let notNumbers = [0x7f80_0001, 0xff80_0001, 0x7fff_ffff, 0x7fc0_0000].map { Float(bitPattern: $0) }
            onEveryPath { path in
                let stored = fromFloat32(numbers, Types.bfloat16)
                let back = toFloat32(stored, Types.bfloat16)
                for (number, rounded) in zip(numbers, back) {
                    let expected = number == .greatestFiniteMagnitude ? .infinity : nearestBFloat16(number)
                    #expect(rounded.bitPattern == expected.bitPattern, "\(path): \(number)")
                }
                for bits in fromFloat32(notNumbers, Types.bfloat16) {
                    #expect(bits & 0x7f80 == 0x7f80 && bits & 0x7f != 0, "\(path): \(bits)")
                }
                #expect(fromFloat32([.infinity, -.infinity], Types.bfloat16) == [0x7f80, 0xff80], "\(path)")
            }
        }

        @Test("float32 is copied, whatever its bits")
        func float32() {
            let numbers = [0, 0x8000_0000, 0x7f80_0001, 1, 0x3f80_0000].map { Float(bitPattern: $0) }
            onEveryPath { path in
                var copy = [Float](repeating: 0, count: numbers.count)
                gk_to_float32(Int64(numbers.count), numbers, Types.float32, &copy)
                #expect(copy.map(\.bitPattern) == numbers.map(\.bitPattern), "\(path)")
                copy = [Float](repeating: 0, count: numbers.count)
                gk_from_float32(Int64(numbers.count), numbers, Types.float32, &copy)
                #expect(copy.map(\.bitPattern) == numbers.map(\.bitPattern), "\(path)")
            }
        }
    }
}
