import GraftTensor

/// A norm of rows, of whichever kind a model has.
package enum Norm: Sendable {
    case layer(LayerNorm)
    case rms(RMSNorm)

    package enum Kept: BitwiseCopyable {
        case layer(LayerNorm.Kept)
        case rms(RMSNorm.Kept)
    }

    /// The norm of x, which must stay as it is until backward where `keeps`.
    package func forward(_ x: Matrix, into y: Matrix, keeps: Bool, pass: Pass) throws(GraftError) -> Kept? {
        switch self {
        case .layer(let norm):
            try norm.forward(x, into: y, staysUntilBackward: true, keeps: keeps, pass: pass).map(Kept.layer)
        case .rms(let norm): try norm.forward(x, into: y, keeps: keeps, pass: pass).map(Kept.rms)
        }
    }

    /// y once more, from what forward kept.
    package func again(_ kept: Kept, into y: Matrix, pass: Pass) throws(GraftError) {
        let x =
            switch kept {
            case .layer(let kept): kept.sum
            case .rms(let kept): kept.x
            }
        _ = try forward(x, into: y, keeps: false, pass: pass)
    }

    /// dx from dy; dx may be dy. Adds to the gradients of an adapter's own scale and bias.
    package func backward(_ dy: Matrix, _ kept: Kept, into dx: Matrix, pass: Pass) {
        switch (self, kept) {
        case (.layer(let norm), .layer(let kept)): norm.backward(dy, kept, into: dx, pass: pass)
        case (.rms(let norm), .rms(let kept)): norm.backward(dy, kept, into: dx, pass: pass)
        case (.layer, .rms), (.rms, .layer): break  // Each is given what it kept.
        }
    }

    /// Whether an adapter of this pass learns its own scale or bias.
    package func learns(_ pass: Pass) -> Bool {
        switch self {
        case .layer(let norm): pass.learns(at: norm.site..<norm.site + 1)
        case .rms(let norm): pass.learns(at: norm.site..<norm.site + 1)
        }
    }
}
