import CGraftKernels
import Glibc
import Testing

extension Kernels {
    @Suite struct Activations {
        static let all: [(name: String, value: gk_activation, function: @Sendable (Double) -> Double)] = [
            ("identity", gk_activation(GK_IDENTITY), { $0 }),
            ("gelu", gk_activation(GK_GELU), { $0 / 2 * erfc(-$0 / 2.0.squareRoot()) }),
            (
                "gelu tanh", gk_activation(GK_GELU_TANH),
                { $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
            ),
            ("relu", gk_activation(GK_RELU), { max($0, 0) }),
            ("silu", gk_activation(GK_SILU), { $0 / (1 + exp(-$0)) }),
            ("tanh", gk_activation(GK_TANH), { tanh($0) }),
        ]

        static func forward(_ f: gk_activation, _ x: [Float], threads: Int = 1) -> [Float] {
            var y = x
            Team(threads).run { gk_activation_forward($0, f, Int64(x.count), x, &y) }
            return y
        }

        static func backward(_ f: gk_activation, _ x: [Float], _ dy: [Float], threads: Int = 1) -> [Float] {
            var dx = dy
            Team(threads).run { gk_activation_backward($0, f, Int64(x.count), x, dy, &dx) }
            return dx
        }

        @Test("Every activation is within four units in the last place of its argument, on odd counts")
        func values() {
            for count in oddCounts {
                let x = (0..<count).map { Float($0 - count / 2) * 0.037 }
                for (name, f, function) in Self.all {
                    onEveryPath { path in
                        let y = Self.forward(f, x)
                        for (argument, value) in zip(x, y) {
                            let expected = function(Double(argument))
                            let allowed = 4 * Double(argument.ulp)
                            if (Double(value) - expected).magnitude > allowed {
                                Issue.record("\(path), \(name) of \(argument) is \(value), expected \(expected)")
                                return
                            }
                        }
                    }
                }
            }
        }

        @Test("Every slope is that of a central difference, times dy")
        func slopes() {
            for count in oddCounts {
                let x = (0..<count).map { Float($0 - count / 2) * 0.031 + 0.007 }
                let dy = randomFloats(count, seed: 3, scale: 2)
                for (name, f, function) in Self.all {
                    let expected = zip(x, dy).map { x, dy in Double(dy) * slope(at: Double(x), function) }
                    onEveryPath { path in
                        expectClose(Self.backward(f, x, dy), expected, within: 1e-6, "\(path), \(name)")
                    }
                }
            }
        }

        @Test("Extremes give limits, NaN stays NaN, and huge arguments neither overflow nor vanish")
        func extremes() {
            let tiny = Float.leastNormalMagnitude / 64
            let x: [Float] = [-.infinity, .infinity, .nan, -3e38, 3e38, -200, 200, tiny, -tiny, 0]
            for (name, f, _) in Self.all {
                let isRamp = name != "tanh"
                let low: Float = name == "identity" ? -.infinity : name == "tanh" ? -1 : 0
                onEveryPath { path in
                    let y = Self.forward(f, x)
                    #expect(y[0] == low, "\(path), \(name) of -infinity")
                    #expect(y[1] == (isRamp ? .infinity : 1), "\(path), \(name) of infinity")
                    #expect(y[2].isNaN, "\(path), \(name) of NaN")
                    #expect(y[4] == (isRamp ? 3e38 : 1), "\(path), \(name) of 3e38")
                    #expect(y[6] == (isRamp ? 200 : 1), "\(path), \(name) of 200")
                    #expect(y[7...].allSatisfy { $0.magnitude <= tiny }, "\(path), \(name) near zero")
                    let dx = Self.backward(f, x, Array(repeating: 1, count: x.count))
                    #expect(dx[1] == (isRamp ? 1 : 0), "\(path), slope of \(name) at infinity")
                    #expect(dx[0] == (name == "identity" ? 1 : 0), "\(path), slope of \(name) at -infinity")
                    #expect(dx[2].isNaN || name == "identity", "\(path), slope of \(name) at NaN")
                }
            }
        }

        @Test("A value does not depend on its place in the array or on the threads")
        func placement() {
            let x = randomFloats(70_001, seed: 5, scale: 6)
            for (name, f, _) in Self.all {
                onEveryPath { path in
                    let whole = Self.forward(f, x)
                    let shifted = Self.forward(f, Array(x[5...]))
                    #expect(whole[5...].elementsEqual(shifted), "\(path), \(name)")
                    let last = Self.forward(f, [x[70_000]])
                    #expect(whole[70_000].bitPattern == last[0].bitPattern, "\(path), \(name)")
                    for threads in [2, 3, 8] {
                        #expect(Self.forward(f, x, threads: threads) == whole, "\(path), \(name), \(threads) threads")
                        #expect(
                            Self.backward(f, x, whole, threads: threads) == Self.backward(f, x, whole),
                            "\(path), slope of \(name), \(threads) threads")
                    }
                }
            }
        }

        @Test("Forward and backward work in place")
        func inPlace() {
            let x = randomFloats(67, seed: 6, scale: 3)
            onEveryPath { path in
                var y = x
                y.withUnsafeMutableBufferPointer { y in
                    Team().run { team in
                        gk_activation_forward(team, gk_activation(GK_GELU), 67, y.baseAddress, y.baseAddress)
                    }
                }
                #expect(y == Self.forward(gk_activation(GK_GELU), x), "\(path)")
                let expected = Self.backward(gk_activation(GK_GELU), x, y)
                y.withUnsafeMutableBufferPointer { y in
                    Team().run { team in
                        gk_activation_backward(team, gk_activation(GK_GELU), 67, x, y.baseAddress, y.baseAddress)
                    }
                }
                #expect(y == expected, "\(path)")
            }
        }

        @Test("Gated activations and their gradients are what their parts give, in place too")
        func gated() {
            for (m, h) in [(0, 5), (1, 1), (3, 17), (5, 97)] {
                let x = randomFloats(m * 2 * h, seed: 9, scale: 3)
                let dy = randomFloats(m * h, seed: 10)
                let silu = gk_activation(GK_SILU)
                onEveryPath { path in
                    var y = [Float](repeating: .nan, count: m * h)
                    var dx = x
                    Team(3).run { team in
                        gk_gated_forward(team, silu, Int64(m), Int64(h), x, &y)
                        dx.withUnsafeMutableBufferPointer {
                            gk_gated_backward(team, silu, Int64(m), Int64(h), $0.baseAddress, dy, $0.baseAddress)
                        }
                    }
                    for row in 0..<m {
                        let gate = Array(x[row * 2 * h..<row * 2 * h + h])
                        let up = Array(x[row * 2 * h + h..<(row + 1) * 2 * h])
                        let d = Array(dy[row * h..<(row + 1) * h])
                        let activated = Self.forward(silu, gate)
                        #expect(Array(y[row * h..<(row + 1) * h]) == zip(activated, up).map { $0 * $1 }, "\(path)")
                        let slopes = Self.backward(silu, gate, zip(d, up).map { $0 * $1 })
                        #expect(Array(dx[row * 2 * h..<row * 2 * h + h]) == slopes, "\(path), gate")
                        #expect(
                            Array(dx[row * 2 * h + h..<(row + 1) * 2 * h]) == zip(d, activated).map { $0 * $1 },
                            "\(path), up")
                    }
                }
            }
        }
    }
}
