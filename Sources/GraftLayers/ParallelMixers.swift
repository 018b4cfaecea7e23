import GraftTensor

/// Attention and a feed-forward that read the same residual stream t (Wang and Komatsuzaki 2021):
/// t [tokens, width] → y [m, width], the sum of what both add to it.
///
///     y = branch(dropout(attend(norm(t)))) + branch(dropout(feed(norm(t))))
///
/// `Sublayer` adds t itself.
package struct ParallelMixers: Mixer {
    /// One of the two, with all that a sub-layer has around its mixer.
    package struct Way: Sendable {
        private let norm: Norm
        private let mixer: any Mixer
        private let branch: Branch
        /// What the norm reads: all tokens, or those of y.
        private let reads: Pass.Unit
        /// Of the unit of y.
        private let dropout: Dropout

        package init(norm: Norm, mixer: any Mixer, branch: Branch, reads: Pass.Unit, dropout: Dropout) {
            self.norm = norm
            self.mixer = mixer
            self.branch = branch
            self.reads = reads
            self.dropout = dropout
        }

        fileprivate struct Kept: BitwiseCopyable {
            let norm: Norm.Kept
            let mixer: UnsafeMutableRawPointer
            let branch: Branch.Kept
            /// What the norm read.
            let t: Matrix
        }

        /// What comes back to t.
        fileprivate struct Gradients {
            /// Through norm and mixer.
            let t: Matrix?
            /// Of the rows of y, through adapters that read the residual stream.
            let residual: Matrix?
        }

        fileprivate func readsInput(_ pass: Pass) -> Bool { mixer.readsInput(pass) }

        fileprivate func learns(_ pass: Pass) -> Bool { mixer.learns(pass) }

        fileprivate func forward(
            _ x: Matrix, into y: Matrix, _ own: ParallelMixers, keeps: Bool, keepsOnly: Bool, pass: Pass
        ) throws(GraftError) -> Kept? {
            let arena = pass.arena(keeping: keeps)
            let t = try pass.select(x, reads, in: arena)
            let n = try pass.scratch.matrix(rows: t.rows, columns: own.width)
            let normKept = try norm.forward(t, into: n, keeps: keeps, pass: pass)
            let skipsOutput = keepsOnly && !branch.isAdapted(pass)
            let mixerKept = try mixer.forward(n, into: y, keeps: keeps, keepsOnly: skipsOutput, pass: pass)
            dropout.apply(to: y, pass)
            let residual = try branch.isAdapted(pass) ? pass.select(x, own.unit, in: arena) : y
            let branchKept = try branch.forward(y, residual: residual, keeps: keeps, pass: pass)
            guard let normKept, let mixerKept else { return nil }
            return Kept(norm: normKept, mixer: mixerKept, branch: branchKept, t: t)
        }

        /// dy is overwritten.
        fileprivate func backward(
            _ dy: Matrix, _ kept: Kept, _ own: ParallelMixers, wantsGradient: Bool, pass: Pass
        ) throws(GraftError) -> Gradients {
            var residual: Matrix?
            if branch.isAdapted(pass) {
                let gradient = try pass.scratch.matrix(rows: dy.rows, columns: own.width)
                gradient.clear()
                try branch.backward(dy, kept.branch, into: gradient, pass: pass)
                residual = gradient
            }
            dropout.apply(to: dy, pass)
            var n = kept.t
            if mixer.readsInput(pass) {
                n = try pass.scratch.matrix(rows: kept.t.rows, columns: own.width)
                try norm.again(kept.norm, into: n, pass: pass)
            }
            let goesOn = wantsGradient || norm.learns(pass)
            let dn = try goesOn ? pass.scratch.matrix(rows: kept.t.rows, columns: own.width) : nil
            try mixer.backward(dy, kept.mixer, x: n, into: dn, accumulate: false, pass: pass)
            if let dn { norm.backward(dn, kept.norm, into: dn, pass: pass) }
            return Gradients(t: dn, residual: residual)
        }

        fileprivate func add(_ gradients: Gradients, to dx: Matrix, _ own: ParallelMixers, _ pass: Pass) {
            if let t = gradients.t { pass.add(t, reads, toSelectedOf: dx) }
            if let residual = gradients.residual { pass.add(residual, own.unit, toSelectedOf: dx) }
        }
    }

    private let attention: Way
    private let feedForward: Way
    /// Of y.
    private let unit: Pass.Unit
    private let width: Int

    private struct Kept: BitwiseCopyable {
        let attention: Way.Kept
        let feedForward: Way.Kept
    }

    package init(attention: Way, feedForward: Way, unit: Pass.Unit, width: Int) {
        self.attention = attention
        self.feedForward = feedForward
        self.unit = unit
        self.width = width
    }

    package func readsInput(_ pass: Pass) -> Bool { attention.readsInput(pass) || feedForward.readsInput(pass) }

    package func learns(_ pass: Pass) -> Bool { attention.learns(pass) || feedForward.learns(pass) }

    package func forward(
        _ x: Matrix, into y: Matrix, keeps: Bool, keepsOnly: Bool, pass: Pass
    ) throws(GraftError) -> UnsafeMutableRawPointer? {
        let attentionKept = try attention.forward(x, into: y, self, keeps: keeps, keepsOnly: keepsOnly, pass: pass)
        let other = try pass.scratch.matrix(rows: y.rows, columns: width)
        let feedForwardKept = try feedForward.forward(
            x, into: other, self, keeps: keeps, keepsOnly: keepsOnly, pass: pass)
        pass.team.add(other, to: y)
        guard let attentionKept, let feedForwardKept else { return nil }
        return try pass.keep(Kept(attention: attentionKept, feedForward: feedForwardKept))
    }

    package func backward(
        _ dy: Matrix, _ kept: UnsafeMutableRawPointer, x: Matrix, into dx: Matrix?, accumulate: Bool, pass: Pass
    ) throws(GraftError) {
        let kept = kept.assumingMemoryBound(to: Kept.self).pointee
        let first = try copy(dy, pass)
        let attended = try attention.backward(first, kept.attention, self, wantsGradient: dx != nil, pass: pass)
        let second = try copy(dy, pass)
        let fed = try feedForward.backward(second, kept.feedForward, self, wantsGradient: dx != nil, pass: pass)
        guard let dx else { return }
        if !accumulate { dx.clear() }
        attention.add(attended, to: dx, self, pass)
        feedForward.add(fed, to: dx, self, pass)
    }

    private func copy(_ dy: Matrix, _ pass: Pass) throws(GraftError) -> Matrix {
        let copy = try pass.scratch.matrix(rows: dy.rows, columns: width)
        dy.copy(to: copy)
        return copy
    }
}
