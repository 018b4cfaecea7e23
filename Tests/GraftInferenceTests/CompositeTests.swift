import GraftAdapters
import GraftFormats
import GraftLayers
import GraftModels
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftInference

/// What several adapters make of a row together: one after the other, or their mean.
@Suite struct CompositeTests {
    /// Adapters of all methods that change what the model computes, and DoRA.
    private struct Adapters {
        let model: Model
        let compositions: [(name: String, composition: Composition)]
        let rows: RowBatch

        init(_ base: String) throws {
            model = try Architectures.load(path: Goldens.path(base), precision: .float32)
            var random = RandomNumbers(seed: 5, stream: base)
            var made: [(String, Composition)] = []
            for (method, settings) in [
                ("lora", "{}"), ("lora", "{\"use_dora\": true}"), ("ia3", "{}"), ("bottleneck", "{}"),
                ("adalora", "{}"),
            ] {
                let adapter = try Adapter(model: model, method: method, config: settings, seed: 1)
                let content = adapter.content
                for index in 0..<content.plan.parameterCount { content.values[index] += random.normal() * 0.1 }
                adapter.markChanged()
                made.append(("\(method) \(settings)", try Composition(adapter: adapter, scale: 1)))
            }
            compositions = made
            var rows = RowBatch()
            for length in [5, 1, 9] {
                rows.append(tokens: (0..<length).map { _ in Int32(3 + random.below(90)) }, types: nil as [Int32]?)
            }
            self.rows = rows
        }

        func states(_ acting: [Composition?]) throws -> [Float] {
            let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
            var out = [Float](repeating: .nan, count: rows.tokenCount * model.shape.hiddenSize)
            try session.hiddenStates(rows, adapters: acting, layer: -1, into: &out)
            return out
        }

        func states(_ acting: Composition) throws -> [Float] {
            try states(Array(repeating: acting, count: rows.rowCount))
        }
    }

    private static let bases = ["bert-tiny/base", "llama-tiny/plain", "gpt2-tiny/plain"]

    private func bits(_ numbers: [Float]) -> [UInt32] { numbers.map(\.bitPattern) }

    static let goldens: [JSON] = (try? JSON(contentsOf: Goldens.path("composition/cases.json")))?.arrayValue ?? []

    @Test("Stacks and means are AdapterHub's", arguments: goldens)
    func adapterHub(golden: JSON) throws {
        let base = try golden.string("base")
        let model = try Architectures.load(path: Goldens.path(base), precision: .float32)
        let members = try golden.strings("members").map {
            try Composition(adapter: Adapter(model: model, path: Goldens.path("composition/\($0)")), scale: 1)
        }
        let weights = golden["weights"]?.arrayValue?.compactMap { $0.doubleValue.map { Float($0) } }
        let composed: Composition =
            if let weights { try .average(members, weights: weights) } else { try .stack(members) }
        let inputs = base.hasPrefix("bert") ? "bert-tiny/inputs.json" : "llama-tiny/inputs.json"
        let rows = try Goldens.rows(try JSON(contentsOf: Goldens.path(inputs)))
        let session = try Session(model: model, threadCount: 2, passTokenCount: 0, cancelToken: nil)
        var states = [Float](repeating: .nan, count: rows.tokenCount * model.shape.hiddenSize)
        try session.hiddenStates(
            rows, adapters: Array(repeating: composed, count: rows.rowCount), layer: -1, into: &states)
        let expected = try SafetensorsFile(path: Goldens.path("composition/\(try golden.string("name")).safetensors"))
        let difference = Goldens.difference(states, try Goldens.floats(expected, "last_hidden_state"))
        #expect(difference < 1e-4, "\(difference)")
    }

    @Test("The goldens are there")
    func goldensAreThere() { #expect(Self.goldens.count >= 7) }

    @Test("A stack of one is that one, and a mean of equals is what they are, to the last bit", arguments: bases)
    func ofOne(base: String) throws {
        let adapters = try Adapters(base)
        for (name, own) in adapters.compositions {
            let alone = bits(try adapters.states(own))
            #expect(try bits(adapters.states(Composition.stack([own]))) == alone, "\(name)")
            #expect(try bits(adapters.states(Composition.average([own, own, own], weights: nil))) == alone, "\(name)")
            let other = adapters.compositions[0].composition
            let weighted = try Composition.average([own, other], weights: [0.3, 0])
            #expect(try bits(adapters.states(weighted)) == alone, "\(name)")
        }
    }

    @Test("What has scale 0 changes no bit of a stack, and has a share of a mean", arguments: bases)
    func ofNone(base: String) throws {
        let adapters = try Adapters(base)
        for (name, own) in adapters.compositions {
            let alone = try adapters.states(own)
            for (other, second) in adapters.compositions {
                let none = try Composition(adapter: second.adapters[0], scale: 0)
                for members in [[own, none], [none, own]] {
                    let stacked = try adapters.states(Composition.stack(members))
                    #expect(bits(stacked) == bits(alone), "\(name), with nothing of \(other)")
                }
                let half = try Composition(adapter: own.adapters[0], scale: 0.5)
                let mean = try adapters.states(Composition.average([own, none], weights: nil))
                #expect(Goldens.difference(mean, try adapters.states(half)) < 2e-5, "\(name), \(other)")
            }
        }
    }

    @Test("A stack of LoRA is the sum of the changes, in any order, and a mean their mean", arguments: bases)
    func sums(base: String) throws {
        let adapters = try Adapters(base)
        let lora = adapters.compositions[0].composition.adapters[0]
        func part(_ scale: Float) throws -> Composition { try Composition(adapter: lora, scale: scale) }
        let (one, other) = (try part(0.75), try part(-0.5))
        for members in [[one, other], [other, one]] {
            let stacked = try adapters.states(Composition.stack(members))
            #expect(Goldens.difference(stacked, try adapters.states(part(0.25))) < 2e-5)
        }
        let mean = try adapters.states(Composition.average([one, other], weights: [3, 1]))
        #expect(Goldens.difference(mean, try adapters.states(part(0.4375))) < 2e-5)
    }

    @Test("The order of a stack counts where something is multiplied", arguments: bases)
    func order(base: String) throws {
        let adapters = try Adapters(base)
        let (lora, ia3) = (adapters.compositions[0].composition, adapters.compositions[2].composition)
        let one = try adapters.states(Composition.stack([lora, ia3]))
        let other = try adapters.states(Composition.stack([ia3, lora]))
        #expect(Goldens.difference(one, other) > 1e-4)
        let nested = try Composition.stack([Composition.stack([lora, ia3]), lora])
        let flat = try Composition.stack([lora, ia3, lora])
        #expect(try bits(adapters.states(nested)) == bits(adapters.states(flat)))
    }

    @Test("A row has the same bits alone and among rows of other compositions", arguments: bases)
    func mixes(base: String) throws {
        let adapters = try Adapters(base)
        let own = adapters.compositions.map(\.composition)
        let acting: [Composition?] = [
            try .stack([own[2], own[1], own[3]]), nil,
            try .average([.stack([own[0], own[2]]), own[3]], weights: [2, 1]),
        ]
        let together = bits(try adapters.states(acting))
        let width = adapters.model.shape.hiddenSize
        let session = try Session(model: adapters.model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        for row in acting.indices {
            var single = RowBatch()
            single.append(row: row, of: adapters.rows)
            var alone = [Float](repeating: .nan, count: single.tokenCount * width)
            try session.hiddenStates(single, adapters: [acting[row]], layer: -1, into: &alone)
            let range = adapters.rows.range(ofRow: row)
            #expect(bits(alone) == Array(together[range.lowerBound * width..<range.upperBound * width]), "row \(row)")
        }
    }

    @Test("The last head is that of the rows")
    func heads() throws {
        let adapters = try Adapters("bert-tiny/sequence-classification")
        func headed(_ labels: [String]) throws -> Composition {
            let adapter = try Adapter(model: adapters.model, method: "ia3", config: nil, seed: 1)
            try adapter.set(
                .sequenceClassification, HeadSettings(labels: labels, dropout: nil, trainsDense: false))
            return try Composition(adapter: adapter, scale: 1)
        }
        let (two, four) = (try headed(["a", "b"]), try headed(["a", "b", "c", "d"]))
        let plain = adapters.compositions[0].composition
        #expect(try Composition.stack([two, four, plain]).labels == ["a", "b", "c", "d"])
        #expect(try Composition.average([four, two], weights: nil).labels == ["a", "b"])
        #expect(try Composition.stack([plain, plain]).labels.count == 3, "those of the checkpoint")
        let session = try Session(model: adapters.model, threadCount: 1, passTokenCount: 0, cancelToken: nil)
        let acting: [Composition?] = [try .stack([two, four, plain]), nil, try .average([four, two], weights: nil)]
        var logits = [Float](repeating: .nan, count: 3 * 4)
        try session.classify(adapters.rows, adapters: acting, into: &logits)
        #expect(logits[3].isFinite && logits[6].isFinite && logits[7] == -.infinity && logits[10] == -.infinity)
    }

    @Test("Modules in full belong to one member of a stack, and to none of a mean")
    func modulesInFull() throws {
        let model = try Architectures.load(path: Goldens.path("bert-tiny/base"), precision: .float32)
        func composition(_ settings: String) throws -> Composition {
            try Composition(adapter: Adapter(model: model, method: "lora", config: settings, seed: 1), scale: 1)
        }
        let saved = try composition("{\"target_modules\": [\"query\"], \"modules_to_save\": [\"key\"]}")
        let biases = try composition("{\"target_modules\": [\"key\"], \"bias\": \"lora_only\"}")
        let dora = try composition("{\"target_modules\": [\"key\"], \"use_dora\": true}")
        let lora = try composition("{\"target_modules\": [\"key\"]}")
        _ = try Composition.stack([lora, saved])
        _ = try Composition.stack([saved, lora])
        for members in [[saved, saved], [lora, saved, biases], [dora, saved]] {
            let error = #expect(throws: GraftError.self) { try Composition.stack(members) }
            #expect(
                error?.code == .incompatible && error?.message.contains("self.key") == true,
                "\(String(describing: error))")
        }
        let error = #expect(throws: GraftError.self) { try Composition.average([lora, saved], weights: nil) }
        #expect(error?.code == .incompatible && error?.message.contains("compositions[1]") == true)
        #expect(try Composition.average([lora, saved], weights: [0, 1]).attached === saved.attached)
    }

    @Test("What does not go together is refused, and says why")
    func refused() throws {
        let (one, other) = (try Adapters("bert-tiny/base"), try Adapters("bert-tiny/base"))
        let own = one.compositions[0].composition
        func message(_ body: () throws -> Composition) -> String {
            let error = #expect(throws: GraftError.self) { _ = try body() }
            return error?.message ?? ""
        }
        #expect(message { try .stack([]) }.contains("1 to 32"))
        #expect(message { try .stack(Array(repeating: own, count: 33)) }.contains("33 adapters"))
        #expect(message { try .stack([own, other.compositions[0].composition]) }.contains("compositions[1]"))
        #expect(message { try .average([own, own], weights: [1, .nan]) }.contains("weights[1]"))
        #expect(message { try .average([own, own], weights: [-1, 1]) }.contains("weights[0]"))
        #expect(message { try .average([own, own], weights: [0, 0]) }.contains("all 0"))
    }
}
