import GraftFormats
import GraftLayers
import GraftTensor

extension Adapter {
    /// Reads LoRA in a file of llama.cpp, by making of it what PEFT would have written.
    ///
    /// Of a module's weight `w` the file has `w.lora_a` [r, in] and `w.lora_b` [out, r], where w is
    /// W + alpha / r · B A. Of a table A is [vocabulary, r].
    ///
    /// - Parameter names: of the model's tensors in such files; nil where there are none of it.
    package static func load(_ file: GGUFFile, model: Model, names: GGUFNames?) throws(GraftError) -> Adapter {
        let reader = try GGUFAdapterReader(file, model, names)
        let (config, weights) = try reader.files()
        return try config.withUnsafeBufferPointer { config throws(GraftError) in
            try weights.withUnsafeBufferPointer { weights throws(GraftError) in
                let files = [
                    (AdapterFiles.configName, UnsafeRawBufferPointer(config)),
                    (PeftLayout.weightsName, UnsafeRawBufferPointer(weights)),
                ]
                return try Adapter(model: model, InputFolder(files, path: file.path))
            }
        }
    }
}

/// What a file of llama.cpp says of an adapter, as PEFT would have it.
private struct GGUFAdapterReader {
    private typealias Pair = (name: String, form: GGUFNames.Form, a: GGUFHeader.Entry?, b: GGUFHeader.Entry?)

    private let file: GGUFFile
    private let model: Model
    private var pairs: [Pair] = []
    private let alpha: Double

    init(_ file: GGUFFile, _ model: Model, _ names: GGUFNames?) throws(GraftError) {
        self.file = file
        self.model = model
        let header = file.header
        for (key, expected) in [("general.type", "adapter"), ("adapter.type", "lora")] {
            guard try header.optionalString(key) == expected else {
                throw GraftError(
                    .unsupported,
                    "\(file.path): \(key) is \(header[key]?.kind ?? "missing"); expected \"\(expected)\" of an adapter")
            }
        }
        if header["adapter.alora.invocation_tokens"] != nil {
            throw GraftError(
                .unsupported,
                "\(file.path): adapter.alora.invocation_tokens; expected an adapter that acts on all tokens")
        }
        let architecture = try header.string("general.architecture")
        guard let names, names.architecture == architecture else {
            throw GraftError(
                .incompatible,
                "\(file.path): it is for a \(JSON.string(architecture).shortText) model; this one is "
                    + "\(names?.architecture ?? model.architecture)")
        }
        alpha = try header.optionalDouble("adapter.lora.alpha") ?? 0
        guard alpha >= 0, alpha <= 1e6 else {
            throw header.unexpected("adapter.lora.alpha", expected: "a number from 0 to 1e6")
        }
        var places: [String: Int] = [:]
        for entry in header.entries {
            try Memory.check()
            let isA = entry.name.hasSuffix(".lora_a")
            guard isA || entry.name.hasSuffix(".lora_b"),
                let (name, form) = names.name(of: String(entry.name.dropLast(7))),
                name.hasSuffix(".weight")
            else {
                throw error(
                    entry, .unsupported, "expected \".lora_a\" or \".lora_b\" of a \(architecture) model's weight")
            }
            let place = places[name] ?? pairs.count
            if place == pairs.count { pairs.append((name, form, nil, nil)) }
            places[name] = place
            if isA { pairs[place].a = entry } else { pairs[place].b = entry }
        }
    }

    /// adapter_config.json and the weights.
    func files() throws(GraftError) -> (config: [UInt8], weights: [UInt8]) {
        var (owners, tensors): ([Memory], [SafetensorsWriter.Tensor]) = ([], [])
        var (ranks, alphas, targets) = (JSONObject(), JSONObject(), [JSON]())
        for pair in pairs {
            let module = String(pair.name.dropLast(".weight".count))
            guard let a = pair.a, let b = pair.b else {
                let found = pair.a ?? pair.b
                throw GraftError(
                    .corruptFile,
                    "\(file.path): of \(JSON.string(found?.name ?? module).shortText) the other matrix is missing")
            }
            let isTable = pair.form == .plain && a.shape.count == 2 && isEmbedding(module)
            guard a.shape.count == 2, b.shape.count == 2, a.shape[isTable ? 1 : 0] == b.shape[1], b.shape[1] > 0 else {
                throw error(
                    a, .corruptFile, "shapes \(a.shape) and \(b.shape) of A and B are of no one rank")
            }
            let rank = b.shape[1]
            ranks[module] = .integer(rank)
            if alpha == 0 { alphas[module] = .integer(rank) }
            targets.append(.string(module))
            let start = Lora.moduleStart + module
            for (entry, isA) in [(a, true), (b, false)] {
                let numbers = try self.numbers(entry, turned: isA && isTable, isA ? .plain : pair.form)
                owners.append(numbers)
                tensors.append(
                    (
                        start + (isTable ? ".lora_embedding_" : ".lora_") + (isA ? "A" : "B")
                            + (isTable ? "" : ".weight"),
                        .float32, isA && isTable ? entry.shape.reversed() : entry.shape,
                        UnsafeRawBufferPointer(start: numbers.base, count: 4 * entry.shape.reduce(1, *))
                    ))
            }
        }
        let weights = try SafetensorsWriter.serialize(tensors: tensors, metadata: [("format", "pt")])
        withExtendedLifetime(owners) {}
        var config = JSONObject()
        config["peft_type"] = .string(Lora.typeName ?? "")
        config["task_type"] = model.languageHead == nil ? .null : "CAUSAL_LM"
        config["r"] = ranks.first { _ in true }?.value ?? 8
        config["lora_alpha"] = alpha == 0 ? 1 : .double(alpha)
        config["rank_pattern"] = .object(ranks)
        config["alpha_pattern"] = .object(alphas)
        config["target_modules"] = .array(targets)
        return (AdapterFiles.configuration(config), weights)
    }

    private func isEmbedding(_ module: String) -> Bool {
        model.sites.contains { site in
            site.kind == .embedding && (site.path == module || module == model.conventions.start() + site.path)
        }
    }

    /// A matrix as PEFT has it.
    private func numbers(
        _ entry: GGUFHeader.Entry, turned: Bool, _ form: GGUFNames.Form
    ) throws(GraftError) -> Memory {
        guard let type = entry.type.kernelType else {
            throw error(entry, .unsupported, "\(entry.type.name) is not read; expected F32, F16, BF16 or Q8_0")
        }
        let (height, width) = (entry.shape[0], entry.shape[1])
        let stored = try Memory(byteCount: 4 * max(height * width, 1))
        guard !entry.range.isEmpty else { throw error(entry, .corruptFile, "it is empty") }
        try TensorRows(file.file, range: entry.range, type: type, name: entry.name, path: file.path).copy(
            count: height * width, into: stored.floats())
        let lies = form.of(headCount: model.shape.headCount, keyHeadCount: model.shape.keyHeadCount)
        if let heads = lies.heads, !lies.fits(rowCount: height) {
            throw error(
                entry, .incompatible, "expected rows for \(heads.count) heads \(heads.what), found shape \(entry.shape)"
            )
        }
        guard turned || lies.heads != nil else { return stored }
        let made = try Memory(byteCount: 4 * height * width)
        for row in 0..<height {
            let source = stored.floats() + lies.storedRow(of: row, count: height) * width
            for column in 0..<width {
                made.floats()[turned ? column * height + row : row * width + column] = source[column]
            }
        }
        return made
    }

    private func error(_ entry: GGUFHeader.Entry, _ code: GraftError.Code, _ message: String) -> GraftError {
        GraftError(code, "\(file.path): tensor \(JSON.string(entry.name).shortText): \(message)")
    }
}
