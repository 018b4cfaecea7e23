import CGraftKernels
import Glibc
import Testing

extension Kernels {
    @Suite struct Optimizers {
        /// The gradient of step `step`: any rule does, if it depends on the parameters.
        static func gradient(_ p: Double, _ i: Int, _ step: Int) -> Double {
            sin(Double(i + 1) * 0.7 + Double(step) * 0.3) + 0.2 * p
        }

        @Test(
            "A hundred AdamW steps stay within 1e-6 of torch's, taken in double between the roundings of the parameters"
        )
        func adamw() {
            for (decay, epsilon) in [(0, 1e-8), (0.01, 1e-8), (0.1, 1e-6)] {
                for count in oddCounts {
                    let start = randomFloats(count, seed: 1)
                    onEveryPath { path in
                        var p = start
                        var (m, v) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
                        var exact = start.map(Double.init)
                        var (em, ev) = (exact.map { _ in 0.0 }, exact.map { _ in 0.0 })
                        for step in 1...100 {
                            let g = exact.indices.map { Float(Self.gradient(exact[$0], $0, step)) }
                            var settings = gk_adamw(
                                learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: Float(epsilon),
                                weight_decay: Float(decay), gradient_scale: 0.5, step: Int64(step))
                            Team().run { gk_adamw_update($0, &settings, Int64(count), &p, g, &m, &v) }
                            for i in exact.indices {
                                let scaled = Double(g[i]) * 0.5
                                // torch decays float32 parameters in place, which rounds them: the
                                // same way for many steps, because they change little. The rest of
                                // the step is exact here.
                                exact[i] = Double(Float(exact[i]) * Float(1 - 1e-3 * decay))
                                em[i] = 0.9 * em[i] + 0.1 * scaled
                                ev[i] = 0.999 * ev[i] + 0.001 * scaled * scaled
                                let corrected = em[i] / (1 - pow(0.9, Double(step)))
                                let root = (ev[i] / (1 - pow(0.999, Double(step)))).squareRoot()
                                exact[i] = Double(Float(exact[i] - 1e-3 * corrected / (root + epsilon)))
                            }
                        }
                        expectClose(p, exact, within: 1e-6, "\(path), \(count), decay \(decay)")
                    }
                }
            }
        }

        @Test("A hundred SGD steps stay within 1e-6 of the formula in double, with every setting")
        func sgd() {
            for (momentum, decay, nesterov) in [
                (0.0, 0.0, false), (0.9, 0.0, false), (0.9, 0.01, true), (0, 0.1, false),
            ] {
                let start = randomFloats(97, seed: 2)
                onEveryPath { path in
                    var p = start
                    var velocity = [Float](repeating: .nan, count: 97)
                    var exact = start.map(Double.init)
                    var buffer = exact
                    for step in 1...100 {
                        let g = exact.indices.map { Float(Self.gradient(exact[$0], $0, step)) }
                        var settings = gk_sgd()
                        settings.learning_rate = 1e-3
                        settings.momentum = Float(momentum)
                        settings.weight_decay = Float(decay)
                        settings.gradient_scale = 2
                        settings.nesterov = nesterov
                        settings.first_step = step == 1
                        Team().run {
                            gk_sgd_update($0, &settings, 97, &p, g, &velocity)
                        }
                        for i in exact.indices {
                            let d = Double(g[i]) * 2 + decay * exact[i]
                            buffer[i] = step == 1 ? d : momentum * buffer[i] + d
                            exact[i] -= 1e-3 * (momentum == 0 ? d : nesterov ? d + momentum * buffer[i] : buffer[i])
                        }
                    }
                    expectClose(p, exact, within: 1e-6, "\(path), momentum \(momentum), nesterov \(nesterov)")
                }
            }
        }

        @Test("SGD without momentum needs no velocity")
        func noVelocity() {
            onEveryPath { path in
                var p: [Float] = [1, 2, 3]
                var settings = gk_sgd()
                settings.learning_rate = 0.5
                settings.gradient_scale = 1
                Team().run { gk_sgd_update($0, &settings, 3, &p, [1, 1, 2], nil) }
                #expect(p == [0.5, 1.5, 2], "\(path)")
            }
        }

        @Test("The sum of squares is that of doubles, and shows a NaN or an infinity anywhere")
        func sumOfSquares() {
            for count in oddCounts + [4_095, 4_096, 4_097, 20_011] {
                var x = randomFloats(count, seed: 3, scale: 1e30)
                let expected = x.reduce(0) { $0 + Double($1) * Double($1) }
                onEveryPath { path in
                    let sum = Team().run { gk_sum_of_squares($0, Int64(count), x) }
                    #expect((sum - expected).magnitude <= 1e-13 * expected, "\(path), \(count): \(sum)")
                    guard count > 0 else { return }
                    let place = count * 3 / 4
                    let before = x[place]
                    x[place] = .nan
                    #expect(Team().run { gk_sum_of_squares($0, Int64(count), x) }.isNaN, "\(path), \(count)")
                    x[place] = -.infinity
                    #expect(Team().run { gk_sum_of_squares($0, Int64(count), x) } == .infinity, "\(path), \(count)")
                    x[place] = before
                }
            }
        }

        @Test("Updates and sums have the same bits on any number of threads")
        func threads() {
            let count = 90_007
            let (p, g) = (randomFloats(count, seed: 4), randomFloats(count, seed: 5))
            onEveryPath { path in
                let alone = Team(1).run { gk_sum_of_squares($0, Int64(count), g) }
                for threads in [2, 3, 8] {
                    #expect(Team(threads).run { gk_sum_of_squares($0, Int64(count), g) } == alone, "\(path)")
                }
                expectSameBitsOnAnyThreads("\(path)") { team in
                    var (a, m, v, b, u) = (p, g, g.map { $0 * $0 }, p, g)
                    var adamw = gk_adamw(
                        learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01,
                        gradient_scale: 0.7, step: 5)
                    gk_adamw_update(team, &adamw, Int64(count), &a, g, &m, &v)
                    var sgd = gk_sgd()
                    (sgd.learning_rate, sgd.momentum, sgd.gradient_scale) = (0.1, 0.9, 1)
                    gk_sgd_update(team, &sgd, Int64(count), &b, g, &u)
                    return a + m + v + b + u
                }
            }
        }
    }
}
