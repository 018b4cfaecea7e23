import CGraftKernels
import Glibc
import Testing

extension Kernels {
    @Suite struct Optimizers {
        /// The gradient of step `step`: any rule does, if it depends on the parameters.
        static func gradient(_ p: Double, _ i: Int, _ step: Int) -> Double {
            sin(Double(i + 1) * 0.7 + Double(step) * 0.3) + 0.2 * p
        }

        private static func adam(step: Int, scale: Float) -> gk_adam {
            var settings = gk_adam()
            (settings.learning_rate, settings.beta1, settings.beta2, settings.epsilon) = (1e-3, 0.9, 0.999, 1e-8)
            (settings.gradient_scale, settings.step) = (scale, Int64(step))
            return settings
        }

        @Test(
            "A hundred steps of AdamW and Adam stay within 1e-6 of torch's, in double between the parameters' roundings"
        )
        func adam() {
            for (decay, l2, epsilon) in [
                (0, 0, 1e-8), (0.01, 0, 1e-8), (0.1, 0, 1e-6), (0, 0.1, 1e-8), (0.01, 0.01, 1e-8),
            ] {
                for count in oddCounts {
                    let start = randomFloats(count, seed: 1)
                    onEveryPath { path in
                        var p = start
                        var (m, v) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
                        var exact = start.map(Double.init)
                        var (em, ev) = (exact.map { _ in 0.0 }, exact.map { _ in 0.0 })
                        for step in 1...100 {
                            let g = exact.indices.map { Float(Self.gradient(exact[$0], $0, step)) }
                            var settings = Self.adam(step: step, scale: 0.5)
                            settings.epsilon = Float(epsilon)
                            (settings.weight_decay, settings.l2) = (Float(decay), Float(l2))
                            Team().run { gk_adam_update($0, &settings, Int64(count), &p, g, &m, &v) }
                            for i in exact.indices {
                                let scaled = Double(g[i]) * 0.5 + Double(Float(l2)) * exact[i]
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
                        expectClose(p, exact, within: 1e-6, "\(path), \(count), decay \(decay), l2 \(l2)")
                    }
                }
            }
        }

        @Test("Importance follows the formula in double, and reads nothing beyond its numbers")
        func importance() {
            for count in oddCounts {
                let p = randomFloats(count, seed: 1)
                onEveryPath { path in
                    var (s, u) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
                    var (es, eu) = (s.map(Double.init), u.map(Double.init))
                    var settings = gk_importance(beta1: 0.85, beta2: 0.6, gradient_scale: 0.5)
                    for step in 1...20 {
                        let g = p.indices.map { Float(Self.gradient(Double(p[$0]), $0, step)) }
                        Team().run { gk_update_importance($0, &settings, Int64(count), p, g, &s, &u) }
                        for i in p.indices {
                            let importance = abs(Double(p[i]) * Double(g[i]) * 0.5)
                            es[i] = 0.85 * es[i] + 0.15 * importance
                            eu[i] = 0.6 * eu[i] + 0.4 * abs(importance - es[i])
                        }
                    }
                    expectClose(s, es, within: 1e-5, "\(path), \(count)")
                    expectClose(u, eu, within: 1e-5, "\(path), \(count)")
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
                        settings.l2 = Float(decay)
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

        @Test("A hundred Adagrad steps stay within 1e-6 of the formula in double, with every setting")
        func adagrad() {
            for (l2, epsilon, initial) in [(0, 1e-10, 0), (0.1, 1e-10, 0.1), (0, 1e-3, 2)] as [(Double, Double, Double)]
            {
                for count in oddCounts {
                    let start = randomFloats(count, seed: 6)
                    onEveryPath { path in
                        var p = start
                        var sum = [Float](repeating: Float(initial), count: count)
                        var (exact, squares) = (start.map(Double.init), start.map { _ in initial })
                        for step in 1...100 {
                            let g = exact.indices.map { Float(Self.gradient(exact[$0], $0, step)) }
                            var settings = gk_adagrad(
                                learning_rate: 1e-3, epsilon: Float(epsilon), l2: Float(l2), gradient_scale: 0.5)
                            Team().run { gk_adagrad_update($0, &settings, Int64(count), &p, g, &sum) }
                            for i in exact.indices {
                                let scaled = Double(g[i]) * 0.5 + l2 * exact[i]
                                squares[i] += scaled * scaled
                                exact[i] -= 1e-3 * scaled / (squares[i].squareRoot() + epsilon)
                            }
                        }
                        expectClose(p, exact, within: 1e-6, "\(path), \(count), l2 \(l2)")
                    }
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
                    var (c, w) = (p, v)
                    var adam = Self.adam(step: 5, scale: 0.7)
                    (adam.weight_decay, adam.l2) = (0.01, 0.02)
                    gk_adam_update(team, &adam, Int64(count), &a, g, &m, &v)
                    var sgd = gk_sgd()
                    (sgd.learning_rate, sgd.momentum, sgd.gradient_scale) = (0.1, 0.9, 1)
                    gk_sgd_update(team, &sgd, Int64(count), &b, g, &u)
                    var adagrad = gk_adagrad(learning_rate: 0.1, epsilon: 1e-10, l2: 0.1, gradient_scale: 0.7)
                    gk_adagrad_update(team, &adagrad, Int64(count), &c, g, &w)
                    return a + m + v + b + u + c + w
                }
            }
        }
    }
}
