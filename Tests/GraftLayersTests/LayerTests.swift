import CGraftKernels
import GraftLayers
import GraftTensor
import Testing

private let width = 12
private let lengths = [3, 1, 5]
private let tokenCount = 9

/// Modules with fresh numbers; each has sites of its own.
private struct Modules {
    let team: Team
    private var sites = 0

    init() throws { team = try Team(threadCount: 2) }

    mutating func site() -> Int {
        sites += 1
        return sites - 1
    }

    mutating func linear(_ outputs: [Int], _ inputs: Int, unit: Pass.Unit = .tokens, _ name: String) throws -> Linear {
        let count = outputs.reduce(0, +)
        let weight = try PackedWeight(outputs: count, inputs: inputs, precision: .float32)
        let values = try Owned(count, inputs, name, scale: 1 / Float(inputs).squareRoot())
        withExtendedLifetime(values) {
            weight.pack(firstRow: 0, rowCount: count, rows: values.matrix.base, type: gk_type(GK_FLOAT32), team: team)
        }
        var parts: [Linear.Part] = []
        var first = 0
        for output in outputs {
            parts.append(Linear.Part(site: site(), firstOutput: first, outputs: output))
            first += output
        }
        return Linear(
            weight: weight, bias: try Owned(1, count, name + " bias", scale: 0.1).memory, parts: parts, unit: unit)
    }

    mutating func layerNorm(unit: Pass.Unit = .tokens) throws -> LayerNorm {
        LayerNorm(
            scale: try Owned(1, width, "gamma", scale: 0.1, around: 1).memory,
            bias: try Owned(1, width, "beta", scale: 0.1).memory, width: width, epsilon: 1e-5, site: site(), unit: unit)
    }

    mutating func rmsNorm(isAroundOne: Bool = false, unit: Pass.Unit = .tokens) throws -> RMSNorm {
        RMSNorm(
            scale: try Owned(1, width, "gamma", scale: 0.1, around: isAroundOne ? 0 : 1).memory, width: width,
            .init(epsilon: 1e-5, isAroundOne: isAroundOne), site: site(), unit: unit)
    }

    /// Three heads of four numbers, or with groups one head of keys and values for all.
    mutating func attention(isCausal: Bool, grouped: Bool = false, rotates: Bool = false, unit: Pass.Unit = .tokens)
        throws -> SelfAttention
    {
        let keyWidth = grouped ? 4 : width
        let projections = QueryKeyValue(
            query: try linear([width], width, unit: unit, "query"),
            keyValue: try linear([keyWidth, keyWidth], width, "key value"), unit: unit, queryWidth: width,
            keyWidth: keyWidth)
        return SelfAttention(
            projections: projections,
            rotary: rotates ? try Rotary(headWidth: 4, base: 10_000, scaling: .none) : nil,
            attention: Attention(
                headCount: 3, keyValueHeadCount: grouped ? 1 : 3, headWidth: 4, isCausal: isCausal, unit: unit,
                dropoutProbability: 0, dropoutSite: 0, precision: .float32),
            output: try linear([width], width, unit: unit, "output"), layer: 0, unit: unit, width: width,
            keepsContext: false)
    }

    mutating func feedForward(_ activation: Activation = .gelu, unit: Pass.Unit = .tokens) throws -> FeedForward {
        FeedForward(
            up: try linear([20], width, unit: unit, "up"), down: try linear([width], 20, unit: unit, "down"),
            activation: activation, innerSize: 20)
    }

    mutating func gated() throws -> GatedFeedForward {
        GatedFeedForward(
            gateUp: try linear([20, 20], width, "gate up"), down: try linear([width], 20, "down"), activation: .silu,
            innerSize: 20)
    }
}

/// Compares a mixer's gradients, for rows that read all tokens or one of each row.
private func expectGradients(
    of mixer: some Mixer, _ name: String, reading summary: SummaryToken? = nil
) throws {
    try expectGradients(
        of: name, rows: tokenCount, inputs: width, outputRows: summary == nil ? tokenCount : lengths.count,
        outputs: width
    ) { x, y in
        let pass = try makePass(lengths, reading: summary)
        let kept = try mixer.forward(x, into: y, keeps: true, keepsOnly: false, pass: pass)
        return { dy, dx in
            let kept = try #require(kept)
            try mixer.backward(dy, kept, x: x, into: dx, accumulate: false, pass: pass)
        }
    }
}

@Suite struct LayerTests {
    @Test func linear() throws {
        var modules = try Modules()
        let linear = try modules.linear([7, 5], width, "linear")
        try GraftLayersTests.expectGradients(of: "linear", rows: tokenCount, inputs: width, outputs: 12) { x, y in
            let pass = try makePass(lengths)
            let kept = try linear.forward(x, into: y, keeps: true, pass: pass)
            return { dy, dx in try linear.backward(dy, kept, into: dx, pass: pass) }
        }
    }

    @Test func norms() throws {
        var modules = try Modules()
        for norm in [
            Norm.layer(try modules.layerNorm()), .rms(try modules.rmsNorm()),
            .rms(try modules.rmsNorm(isAroundOne: true)),
        ] {
            try GraftLayersTests.expectGradients(of: "\(norm)", rows: tokenCount, inputs: width, outputs: width) {
                x, y in
                let pass = try makePass(lengths)
                let kept = try norm.forward(x, into: y, keeps: true, pass: pass)
                return { dy, dx in norm.backward(dy, try #require(kept), into: dx, pass: pass) }
            }
        }
    }

    @Test(arguments: [Activation.gelu, .geluTanh, .silu, .tanh, .identity])
    func feedForwards(activation: Activation) throws {
        var modules = try Modules()
        try expectGradients(of: modules.feedForward(activation), "feed-forward with \(activation)")
    }

    @Test func gatedFeedForward() throws {
        var modules = try Modules()
        try expectGradients(of: modules.gated(), "gated feed-forward")
    }

    @Test(arguments: [false, true], [false, true])
    func selfAttention(isCausal: Bool, grouped: Bool) throws {
        var modules = try Modules()
        let attention = try modules.attention(isCausal: isCausal, grouped: grouped, rotates: isCausal)
        try expectGradients(of: attention, "attention, causal \(isCausal), grouped \(grouped)")
    }

    @Test(arguments: [SummaryToken.first, .last])
    func selfAttentionOfTheTokensRead(summary: SummaryToken) throws {
        var modules = try Modules()
        let attention = try modules.attention(isCausal: true, rotates: true, unit: .read)
        try expectGradients(of: attention, "attention of \(summary)", reading: summary)
    }

    /// All places of norms, in a layer that reads all tokens and in one that reads one of each row.
    @Test(arguments: ["after the sum", "before", "after", "before and after"], [nil, SummaryToken.last])
    func sublayers(place: String, summary: SummaryToken?) throws {
        var modules = try Modules()
        let unit = summary == nil ? Pass.Unit.tokens : .read
        let attention = try modules.attention(isCausal: true, unit: unit)
        let norm: Sublayer.NormPlace =
            place == "after the sum"
            ? .afterSum(try modules.layerNorm(unit: unit))
            : .inBranch(
                before: place.hasPrefix("before") ? .rms(try modules.rmsNorm()) : nil,
                after: place.hasSuffix("after") ? .rms(try modules.rmsNorm(unit: unit)) : nil)
        let site = modules.site()
        let sublayer = Sublayer(
            norm: norm, mixer: attention, branch: Branch(site: site, unit: unit), unit: unit, width: width,
            innerSites: 0..<site, sites: 0..<site + 1)
        let outputRows = summary == nil ? tokenCount : lengths.count
        try GraftLayersTests.expectGradients(
            of: "sub-layer, norm \(place)", rows: tokenCount, inputs: width, outputRows: outputRows,
            outputs: width
        ) { x, y in
            let pass = try makePass(lengths, reading: summary)
            let kept = try sublayer.forward(x, into: y, keeps: true, pass: pass)
            return { dy, dx in
                // Where they have the same rows, d(t) takes the place of d(y).
                let dt = summary == nil ? dy : dx
                try sublayer.backward(dy, try #require(kept), into: dt, pass: pass)
                if summary == nil { dx.base.update(from: dy.base, count: dy.count) }
            }
        }
    }

    @Test(arguments: [Pooling.mean, .first, .last, .maximum, .weightedMean, .rootMean])
    func poolings(pooling: Pooling) throws {
        try GraftLayersTests.expectGradients(
            of: "pooling \(pooling)", rows: tokenCount, inputs: width, outputRows: lengths.count, outputs: width
        ) { x, y in
            let pass = try makePass(lengths)
            pass.pool(x, pooling, firstRow: 0, into: y)
            return { dy, dx in
                dx.clear()
                pass.poolBackward(dy, pooling, of: x, into: dx)
            }
        }
    }

    @Test("A sentence's embedding: poolings side by side, a dense layer, and length 1")
    func sentenceEmbedding() throws {
        let numbers = try Memory(byteCount: 4 * (2 * width * 5 + 5))
        var random = RandomNumbers(seed: 5, stream: "dense")
        for index in 0..<2 * width * 5 + 5 { numbers.floats()[index] = random.normal() * 0.3 }
        let bias = try Memory(byteCount: 4 * 5)
        bias.floats().update(from: numbers.floats() + 2 * width * 5, count: 5)
        let dense = SentenceDense(inputs: 2 * width, outputs: 5, activation: .tanh, weight: numbers, bias: bias)
        let embedding = SentenceEmbedding([.mean, .maximum], steps: [.dense(dense), .normalize])
        try GraftLayersTests.expectGradients(
            of: "embedding", rows: tokenCount, inputs: width, outputRows: lengths.count, outputs: 5
        ) { x, y in
            let pass = try makePass(lengths)
            let hidden = HiddenStates(matrix: x, kept: nil)
            let kept = try embedding.forward(hidden, into: y, keeps: true, pass: pass)
            return { dy, dx in
                dx.clear()
                try embedding.backward(dy, kept, of: hidden, into: dx, pass: pass)
            }
        }
    }

    @Test(arguments: [Activation.tanh, .gelu])
    func pooler(activation: Activation) throws {
        var modules = try Modules()
        let pooler = Pooler(try modules.linear([width], width, unit: .rows, "pooler"), activation)
        try GraftLayersTests.expectGradients(of: "pooler", rows: lengths.count, inputs: width, outputs: width) { x, y in
            let pass = try makePass(lengths)
            let pooled = try pooler.forward(x, keeps: true, pass: pass)
            y.base.update(from: pooled.matrix.base, count: y.count)
            return { dy, dx in try pooler.backward(dy, pooled, into: dx, pass: pass) }
        }
    }
}
