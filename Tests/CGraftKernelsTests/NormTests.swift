import CGraftKernels
import Testing

extension Kernels {
    @Suite struct Norms {
        static let shapes = [(0, 16), (1, 1), (3, 15), (2, 16), (5, 17), (7, 97), (3, 384), (130, 31), (2, 1031)]

        /// Rows of y = gamma ∘ (s - center) / √(spread + epsilon) + beta; `centered` is layer norm,
        /// else RMS norm.
        static func reference(
            _ s: [Double], _ h: Int, _ gamma: [Double], _ beta: [Double], _ epsilon: Double, centered: Bool
        ) -> [Double] {
            stride(from: 0, to: s.count, by: h).flatMap { start -> [Double] in
                let row = s[start..<start + h]
                let center = centered ? row.reduce(0, +) / Double(h) : 0
                let spread = row.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(h)
                let inverse = 1 / (spread + epsilon).squareRoot()
                return row.enumerated().map { ($1 - center) * inverse * gamma[$0] + beta[$0] }
            }
        }

        /// d(Σ y dy)/ds by central differences, element by element.
        static func gradient(
            _ s: [Double], _ dy: [Float], _ h: Int, _ gamma: [Double], _ epsilon: Double, centered: Bool
        ) -> [Double] {
            s.indices.map { i in
                let start = i / h * h
                return slope(at: s[i], step: 1e-4) { value in
                    var row = Array(s[start..<start + h])
                    row[i - start] = value
                    let y = reference(row, h, gamma, Array(repeating: 0, count: h), epsilon, centered: centered)
                    return zip(y, dy[start..<start + h]).reduce(0) { $0 + $1.0 * Double($1.1) }
                }
            }
        }

        struct Forward: Equatable {
            var sum, y, mean, inverse: [Float]
        }

        static func layerNorm(
            _ m: Int, _ h: Int, _ x: [Float], _ gamma: [Float], _ beta: [Float], residual: [Float]? = nil,
            dropout: gk_dropout? = nil, threads: Int = 1
        ) -> Forward {
            var result = Forward(
                sum: x, y: x, mean: Array(repeating: 0, count: m), inverse: Array(repeating: 0, count: m))
            var settings = dropout ?? gk_dropout()
            Team(threads).run { team in
                residual.withPointer { residual in
                    withUnsafePointer(to: &settings) { settings in
                        gk_layer_norm_forward(
                            team, Int64(m), Int64(h), x, dropout == nil ? nil : settings, residual, gamma, beta, 1e-5,
                            &result.sum, &result.y, &result.mean, &result.inverse)
                    }
                }
            }
            return result
        }

        @Test("Layer norm of dropout(x) + residual is right, with every combination of the two")
        func layerNormForward() {
            for (m, h) in Self.shapes {
                let (x, residual) = (randomFloats(m * h, seed: 1, scale: 3), randomFloats(m * h, seed: 2))
                let (gamma, beta) = (randomFloats(h, seed: 3), randomFloats(h, seed: 4))
                for (hasResidual, drops) in [(false, false), (true, false), (false, true), (true, true)] {
                    let settings = dropout(0.2, first: 11)
                    let sum = x.indices.map { i in
                        Double(x[i]) * (drops ? keepFactor(settings, element: 11 + UInt64(i)) : 1)
                            + (hasResidual ? Double(residual[i]) : 0)
                    }
                    let y = Self.reference(
                        sum, h, gamma.map(Double.init), beta.map(Double.init), 1e-5, centered: true)
                    onEveryPath { path in
                        let result = Self.layerNorm(
                            m, h, x, gamma, beta, residual: hasResidual ? residual : nil,
                            dropout: drops ? settings : nil)
                        let comment = "\(path), \(m) x \(h), residual \(hasResidual), dropout \(drops)"
                        expectClose(result.sum, sum, within: 1e-6, comment)
                        expectClose(result.y, y, within: 2e-5, comment)
                    }
                }
            }
        }

        @Test("Layer norm gives its bits in place and without what it may leave out")
        func optionalOutputs() {
            let (m, h) = (3, 45)
            let (x, residual) = (randomFloats(m * h, seed: 5), randomFloats(m * h, seed: 6))
            let (gamma, beta) = (randomFloats(h, seed: 7), randomFloats(h, seed: 8))
            onEveryPath { path in
                let full = Self.layerNorm(m, h, x, gamma, beta, residual: residual)
                var alone = x
                alone.withUnsafeMutableBufferPointer { x in
                    Team().run { team in
                        gk_layer_norm_forward(
                            team, Int64(m), Int64(h), x.baseAddress, nil, residual, gamma, beta, 1e-5, nil,
                            x.baseAddress, nil, nil)
                    }
                }
                #expect(alone == full.y, "\(path)")
                var sum = x
                var y = x
                sum.withUnsafeMutableBufferPointer { sum in
                    Team().run { team in
                        gk_layer_norm_forward(
                            team, Int64(m), Int64(h), sum.baseAddress, nil, residual, gamma, beta, 1e-5,
                            sum.baseAddress, &y, nil, nil)
                    }
                }
                #expect(sum == full.sum && y == full.y, "\(path)")
            }
        }

        @Test("Layer norm backward is the central difference, and adds to dgamma and dbeta")
        func layerNormBackward() {
            for (m, h) in Self.shapes where m * h < 1000 {
                let (x, dy) = (randomFloats(m * h, seed: 9, scale: 2), randomFloats(m * h, seed: 10))
                let (gamma, beta) = (randomFloats(h, seed: 11), randomFloats(h, seed: 12))
                let expected = Self.gradient(
                    x.map(Double.init), dy, h, gamma.map(Double.init), 1e-5, centered: true)
                let normalized = Self.reference(
                    x.map(Double.init), h, Array(repeating: 1, count: h), Array(repeating: 0, count: h), 1e-5,
                    centered: true)
                var (dgamma, dbeta) = ([Double](repeating: 0.5, count: h), [Double](repeating: -0.5, count: h))
                for i in x.indices {
                    dgamma[i % h] += Double(dy[i]) * normalized[i]
                    dbeta[i % h] += Double(dy[i])
                }
                onEveryPath { path in
                    let kept = Self.layerNorm(m, h, x, gamma, beta)
                    var ds = dy
                    var sums = ([Float](repeating: 0.5, count: h), [Float](repeating: -0.5, count: h))
                    ds.withUnsafeMutableBufferPointer { ds in
                        Team().run { team in
                            gk_layer_norm_backward(
                                team, Int64(m), Int64(h), ds.baseAddress, kept.sum, kept.mean, kept.inverse, gamma,
                                ds.baseAddress, &sums.0, &sums.1)
                        }
                    }
                    expectClose(ds, expected, within: h < 3 ? 1e-3 : 3e-5, "\(path), ds of \(m) x \(h)")
                    expectClose(sums.0, dgamma, within: 1e-4, "\(path), dgamma of \(m) x \(h)")
                    expectClose(sums.1, dbeta, within: 1e-5, "\(path), dbeta of \(m) x \(h)")
                }
            }
        }

        @Test("RMS norm forward is right and its backward is the central difference")
        func rmsNorm() {
            for (m, h) in Self.shapes where m * h < 1000 {
                let x = randomFloats(m * h, seed: 13, scale: 2)
                let (gamma, dy) = (randomFloats(h, seed: 15), randomFloats(m * h, seed: 16))
                let exact = x.map(Double.init)
                let zeros = [Double](repeating: 0, count: h)
                let y = Self.reference(exact, h, gamma.map(Double.init), zeros, 1e-6, centered: false)
                let expected = Self.gradient(exact, dy, h, gamma.map(Double.init), 1e-6, centered: false)
                let normalized = Self.reference(exact, h, zeros.map { _ in 1 }, zeros, 1e-6, centered: false)
                var dgamma = [Double](repeating: 0.25, count: h)
                for i in x.indices { dgamma[i % h] += Double(dy[i]) * normalized[i] }
                onEveryPath { path in
                    let result = Self.rmsNorm(x, dy, gamma, groups: 1, ldx: h, initial: 0.25)
                    expectClose(result.y, y, within: 1e-5, "\(path), y of \(m) x \(h)")
                    expectClose(result.dx, expected, within: 3e-4, "\(path), dx of \(m) x \(h)")
                    expectClose(result.dgamma, dgamma, within: 1e-4, "\(path), dgamma of \(m) x \(h)")
                    var (inPlace, dInPlace) = (x, dy)
                    inPlace.withUnsafeMutableBufferPointer { x in
                        Team().run {
                            gk_rms_norm_forward(
                                $0, Int64(m), Int64(h), 1, x.baseAddress, Int64(h), gamma, 0, 1e-6, x.baseAddress, nil)
                        }
                    }
                    dInPlace.withUnsafeMutableBufferPointer { dx in
                        Team().run {
                            gk_rms_norm_backward(
                                $0, Int64(m), Int64(h), 1, dx.baseAddress, x, Int64(h), result.inverse, gamma, 0,
                                dx.baseAddress, Int64(h), nil)
                        }
                    }
                    #expect(inPlace == result.y && dInPlace == result.dx, "\(path)")
                    let apart = Self.rmsNorm(x, dy, gamma.map { $0 - 1 }, unit: 1, groups: 1, ldx: h, initial: 0.25)
                    expectClose(apart.y, y, within: 1e-5, "\(path), y of \(m) x \(h) from γ - 1")
                    expectClose(apart.dx, expected, within: 3e-4, "\(path), dx of \(m) x \(h) from γ - 1")
                }
            }
        }

        @Test("RMS norm of vectors in groups has the bits of vectors end to end, and writes between no others")
        func groupedRMSNorm() {
            for (rows, groups, h, ldx) in [(1, 1, 5, 9), (3, 4, 16, 80), (7, 3, 31, 93), (130, 2, 64, 129)] {
                let m = rows * groups
                let (wide, dy) = (randomFloats(rows * ldx, seed: 21), randomFloats(m * h, seed: 22))
                let gamma = randomFloats(h, seed: 23)
                let x = (0..<rows).flatMap { wide[$0 * ldx..<$0 * ldx + groups * h] }
                onEveryPath { path in
                    let apart = Self.rmsNorm(wide, dy, gamma, groups: groups, ldx: ldx, initial: 0)
                    let together = Self.rmsNorm(x, dy, gamma, groups: 1, ldx: h, initial: 0)
                    #expect(apart.y == together.y && apart.inverse == together.inverse, "\(path)")
                    #expect(apart.dgamma == together.dgamma, "\(path)")
                    var expected = wide
                    for row in 0..<rows {
                        expected.replaceSubrange(
                            row * ldx..<row * ldx + groups * h,
                            with: together.dx[row * groups * h..<(row + 1) * groups * h])
                    }
                    #expect(apart.dx == expected, "\(path)")
                }
            }
        }

        /// Forward and backward; dx has the layout of x, and its numbers where no vector stands.
        static func rmsNorm(
            _ x: [Float], _ dy: [Float], _ gamma: [Float], unit: Float = 0, groups: Int, ldx: Int, initial: Float
        ) -> (y: [Float], inverse: [Float], dx: [Float], dgamma: [Float]) {
            let h = gamma.count
            let m = dy.count / h
            var (y, inverse) = (dy, [Float](repeating: 0, count: m))
            var (dx, dgamma) = (x, [Float](repeating: initial, count: h))
            Team().run {
                gk_rms_norm_forward(
                    $0, Int64(m), Int64(h), Int64(groups), x, Int64(ldx), gamma, unit, 1e-6, &y, &inverse)
                gk_rms_norm_backward(
                    $0, Int64(m), Int64(h), Int64(groups), dy, x, Int64(ldx), inverse, gamma, unit, &dx, Int64(ldx),
                    &dgamma)
            }
            return (y, inverse, dx, dgamma)
        }

        @Test("A row has the same bits alone, in a batch, and on any number of threads")
        func bits() {
            let (m, h) = (203, 387)
            let (x, dy) = (randomFloats(m * h, seed: 17), randomFloats(m * h, seed: 18))
            let (gamma, beta) = (randomFloats(h, seed: 19), randomFloats(h, seed: 20))
            onEveryPath { path in
                let batch = Self.layerNorm(m, h, x, gamma, beta, dropout: dropout(0.1))
                for row in [0, 1, 100, 202] {
                    let alone = Self.layerNorm(
                        1, h, Array(x[row * h..<(row + 1) * h]), gamma, beta,
                        dropout: dropout(0.1, first: UInt64(row * h)))
                    #expect(alone.y.elementsEqual(batch.y[row * h..<(row + 1) * h]), "\(path), row \(row)")
                }
                for threads in [2, 3, 8] {
                    let together = Self.layerNorm(m, h, x, gamma, beta, dropout: dropout(0.1), threads: threads)
                    #expect(together == batch, "\(path), \(threads) threads")
                }
                expectSameBitsOnAnyThreads("\(path), layer norm backward") { team in
                    var (ds, dgamma, dbeta) = (dy, beta, gamma)
                    gk_layer_norm_backward(
                        team, Int64(m), Int64(h), dy, batch.sum, batch.mean, batch.inverse, gamma, &ds, &dgamma,
                        &dbeta)
                    return ds + dgamma + dbeta
                }
                expectSameBitsOnAnyThreads("\(path), RMS norm") { team in
                    var (y, ds, dgamma, inverse) = (x, dy, beta, batch.inverse)
                    gk_rms_norm_forward(team, Int64(m), Int64(h), 1, x, Int64(h), gamma, 0, 1e-6, &y, &inverse)
                    gk_rms_norm_backward(
                        team, Int64(m), Int64(h), 1, dy, x, Int64(h), inverse, gamma, 0, &ds, Int64(h), &dgamma)
                    return y + ds + dgamma
                }
            }
        }

        @Test("Layer norm of a row far from zero loses nothing to its mean")
        func farFromZero() {
            let h = 256
            let x = (0..<h).map { Float(10_000) + Float($0 % 7) * 0.5 }
            let y = Self.reference(
                x.map(Double.init), h, Array(repeating: 1, count: h), Array(repeating: 0, count: h), 1e-5,
                centered: true)
            onEveryPath { path in
                let result = Self.layerNorm(
                    1, h, x, Array(repeating: 1, count: h), Array(repeating: 0, count: h))
                expectClose(result.y, y, within: 1e-3, "\(path)")
            }
        }
    }
}
